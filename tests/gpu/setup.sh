# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Source this: makes the Python packages of the GPU tests importable on a machine without a network.
#
#   WHEELS=dir   wheels to install (default local/wheels): diffusers, importlib_metadata
#   SITE=dir     where to (default build/gpu-site)
#   PYTHON=path  for which Python (default python3)
#
# Nothing is installed where diffusers can be imported already.

gpu_setup() {
	local root
	root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
	local wheels=${WHEELS:-$root/local/wheels} site=${SITE:-$root/build/gpu-site}

	export PYTHON=${PYTHON:-python3}
	if [ -d "$site" ]; then
		export PYTHONPATH=$site${PYTHONPATH:+:$PYTHONPATH}
	fi
	if "$PYTHON" -c 'import importlib.util, sys; sys.exit(not importlib.util.find_spec("diffusers"))'; then
		return 0
	fi
	if ! compgen -G "$wheels/*.whl" >/dev/null; then
		echo "diffusers is not installed and $wheels has no wheels" >&2
		return 1
	fi
	"$PYTHON" -m pip install -q --no-index --no-deps --no-cache-dir --upgrade \
		--target "$site" "$wheels"/*.whl || return 1
	export PYTHONPATH=$site${PYTHONPATH:+:$PYTHONPATH}
}

gpu_setup

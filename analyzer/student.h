/* SPDX-License-Identifier: Apache-2.0 */
/* student.h - Student's t distribution, for intervals around means and slopes of few samples. */
#ifndef ANALYZER_STUDENT_H
#define ANALYZER_STUDENT_H

/* P(|T| <= t) with that many degrees of freedom, which need not be whole; both above 0. */
double student_within(double t, double freedom);

/*
 * The t with P(|T| <= t) = confidence, such as 0.95.  Infinite without a degree of freedom.
 */
double student_quantile(double confidence, double freedom);

#endif

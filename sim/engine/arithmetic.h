/* arithmetic: the transcendental functions that results depend on.
 *
 * libm's log, exp and erfc give different last bits on different processors and library versions.
 * These use only + - * / and sqrt, which IEEE 754 fixes, so every machine and compiler gives the
 * same bits (the build sets -ffp-contract=off). Relative error is below 1e-14 (of normal_cdf:
 * absolute error), checked in the tests.
 */
#ifndef REHEARSE_ENGINE_ARITHMETIC_H
#define REHEARSE_ENGINE_ARITHMETIC_H

double exact_log(double x); /* natural logarithm; x > 0 and finite, else NaN (0: -infinity) */
double exact_exp(double x); /* overflows to infinity, underflows to 0 */
double exact_power(double x, double y); /* x >= 0 */
double exact_sqrt(double x);
double exact_sine_turn(double turns); /* sin(2 pi turns) */
double normal_cdf(double x);          /* P(Z <= x), Z standard normal */
double normal_quantile(double p);     /* its inverse; 0 < p < 1 */
double log_factorial(double k);       /* log k!, k >= 0 whole */

#endif

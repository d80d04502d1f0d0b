// Five evals of GradBench as one would write them by hand in C++: the values from their
// definitions, the gradients by reverse accumulation on paper.

#include <algorithm>
#include <cmath>
#include <vector>

using std::exp;
using std::log;
using Reals = std::vector<double>;

extern "C" {

double lse_primal(const double *x, int n)
{
    const double top = *std::max_element(x, x + n);
    double total = 0;
    for (int i = 0; i < n; i++) total += exp(x[i] - top);
    return top + log(total);
}

void lse_gradient(const double *x, int n, double *out)
{
    const double top = *std::max_element(x, x + n);
    double total = 0;
    for (int i = 0; i < n; i++) total += out[i] = exp(x[i] - top);
    for (int i = 0; i < n; i++) out[i] /= total;
}

double llsq_primal(const double *x, int m, int n)
{
    double total = 0;
    for (int i = 0; i < n; i++) {
        const double t = -1 + 2.0 * i / (n - 1);
        double left = (t > 0) - (t < 0), power = 1;
        for (int j = 0; j < m; j++, power *= t) left -= x[j] * power;
        total += left * left;
    }
    return total / 2;
}

void llsq_gradient(const double *x, int m, int n, double *out)
{
    std::fill(out, out + m, 0.0);
    for (int i = 0; i < n; i++) {
        const double t = -1 + 2.0 * i / (n - 1);
        double left = (t > 0) - (t < 0), power = 1;
        for (int j = 0; j < m; j++, power *= t) left -= x[j] * power;
        power = 1;
        for (int j = 0; j < m; j++, power *= t) out[j] -= left * power;
    }
}

static double expanded(const double *a, int n, int row, unsigned taken)
{
    if (row == n) return 1;
    double total = 0, sign = 1;
    for (int j = 0; j < n; j++) {
        if (taken >> j & 1) continue;
        total += sign * a[row * n + j] * expanded(a, n, row + 1, taken | 1u << j);
        sign = -sign;
    }
    return total;
}

// As above; before is the product of the entries so far, by which the rest is multiplied.
static double passed(const double *a, int n, int row, unsigned taken, double before, double *out)
{
    if (row == n) return 1;
    double total = 0, sign = 1;
    for (int j = 0; j < n; j++) {
        if (taken >> j & 1) continue;
        const double entry = sign * a[row * n + j];
        const double rest = passed(a, n, row + 1, taken | 1u << j, before * entry, out);
        out[row * n + j] += sign * before * rest;
        total += entry * rest;
        sign = -sign;
    }
    return total;
}

double det_primal(const double *a, int n)
{
    return expanded(a, n, 0, 0);
}

void det_gradient(const double *a, int n, double *out)
{
    std::fill(out, out + n * n, 0.0);
    passed(a, n, 0, 0, 1, out);
}

static void slope(const double *x, const Reals &y, Reals &k)
{
    const int n = int(y.size());
    k[0] = x[0];
    for (int i = 1; i < n; i++) k[i] = x[i] * y[i - 1];
}

static void moved(const Reals &y, double by, const Reals &k, Reals &out)
{
    for (std::size_t i = 0; i < y.size(); i++) out[i] = y[i] + by * k[i];
}

// The four stages of a step: their slopes, and the points z where these are taken.
struct Stages {
    Reals k1, k2, k3, k4;
    double h;

    Stages(int n, int steps) : k1(n), k2(n), k3(n), k4(n), h(2.0 / steps) {}

    void take(const double *x, const Reals &y, Reals &z2, Reals &z3, Reals &z4)
    {
        slope(x, y, k1);
        moved(y, h / 2, k1, z2);
        slope(x, z2, k2);
        moved(y, h / 2, k2, z3);
        slope(x, z3, k3);
        moved(y, h, k3, z4);
        slope(x, z4, k4);
    }

    void advance(Reals &y) const
    {
        for (std::size_t i = 0; i < y.size(); i++)
            y[i] += h * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]) / 6;
    }
};

void ode_primal(const double *x, int n, int steps, double *out)
{
    Stages stages(n, steps);
    Reals y(n), z(n);
    for (int s = 0; s < steps; s++) {
        stages.take(x, y, z, z, z);
        stages.advance(y);
    }
    std::copy(y.begin(), y.end(), out);
}

// What k = f(z) passes back: to x, and to z.
static void back(const double *x, const Reals &z, const Reals &dk, double *dx, Reals &dz)
{
    const int n = int(z.size());
    dx[0] += dk[0];
    for (int i = 1; i < n; i++) {
        dx[i] += dk[i] * z[i - 1];
        dz[i - 1] = dk[i] * x[i];
    }
    dz[n - 1] = 0;
}

void ode_gradient(const double *x, int n, int steps, double *out)
{
    Stages stages(n, steps);
    const double h = stages.h;
    std::vector<Reals> ys(1, Reals(n));
    Reals z2(n), z3(n), z4(n);
    for (int s = 0; s < steps; s++) {
        ys.push_back(ys.back());
        stages.take(x, ys.back(), z2, z3, z4);
        stages.advance(ys.back());
    }
    std::fill(out, out + n, 0.0);
    Reals dy(n), dk(n), dz(n), sum(n);
    dy[n - 1] = 1;
    for (int s = steps - 1; s >= 0; s--) {
        stages.take(x, ys[s], z2, z3, z4);
        sum = dy;
        for (int i = 0; i < n; i++) dk[i] = h / 6 * dy[i];
        back(x, z4, dk, out, dz);
        for (int i = 0; i < n; i++) sum[i] += dz[i], dk[i] = h / 3 * dy[i] + h * dz[i];
        back(x, z3, dk, out, dz);
        for (int i = 0; i < n; i++) sum[i] += dz[i], dk[i] = h / 3 * dy[i] + h / 2 * dz[i];
        back(x, z2, dk, out, dz);
        for (int i = 0; i < n; i++) sum[i] += dz[i], dk[i] = h / 6 * dy[i] + h / 2 * dz[i];
        back(x, ys[s], dk, out, dz);
        for (int i = 0; i < n; i++) dy[i] = sum[i] + dz[i];
    }
}

// The part of gmm that grows with n; what is left is a few operations for each cluster.
// Arrays are row by row: x n by d, mu and q k by d, l k by d(d-1)/2. Without out, the value alone.
static double mixture(
    int d, int k, int n, int m, double gamma, const double *x, const double *alpha,
    const double *mu, const double *q, const double *l, double *out)
{
    const int many = d * (d - 1) / 2;
    double *by_alpha = out, *by_mu = out ? out + k : out, *by_q = out ? by_mu + k * d : out;
    double *by_l = out ? by_q + k * d : out;
    Reals diagonal(k * d), sums(k), b(k), moved(k * d), rows(k * d), back(d);
    double total = 0;
    if (out) std::fill(out, out + k + 2 * k * d + k * many, 0.0);
    for (int c = 0; c < k; c++)
        for (int j = 0; j < d; j++) {
            diagonal[c * d + j] = exp(q[c * d + j]);
            sums[c] += q[c * d + j];
        }
    for (int i = 0; i < n; i++) {
        for (int c = 0; c < k; c++) {
            double *v = &moved[c * d], *r = &rows[c * d];
            const double *lower = l + c * many;
            for (int j = 0; j < d; j++) {
                v[j] = x[i * d + j] - mu[c * d + j];
                r[j] = diagonal[c * d + j] * v[j];
            }
            for (int j = 0; j < d; j++)
                for (int row = j + 1; row < d; row++) r[row] += *lower++ * v[j];
            double square = 0;
            for (int j = 0; j < d; j++) square += r[j] * r[j];
            b[c] = alpha[c] + sums[c] - 0.5 * square;
        }
        const double top = *std::max_element(b.begin(), b.end());
        double all = 0;
        for (int c = 0; c < k; c++) all += exp(b[c] - top);
        const double value = top + log(all);
        total += value;
        for (int c = 0; out && c < k; c++) {
            const double share = exp(b[c] - value);
            const double *v = &moved[c * d], *r = &rows[c * d], *lower = l + c * many;
            double *to = by_l + c * many;
            by_alpha[c] += share;
            for (int j = 0; j < d; j++) {
                back[j] = diagonal[c * d + j] * r[j];
                by_q[c * d + j] += share * (1 - back[j] * v[j]);
            }
            for (int j = 0; j < d; j++)
                for (int row = j + 1; row < d; row++) {
                    back[j] += *lower++ * r[row];
                    *to++ -= share * r[row] * v[j];
                }
            for (int j = 0; j < d; j++) by_mu[c * d + j] += share * back[j];
        }
    }
    const double top = *std::max_element(alpha, alpha + k);
    double all = 0;
    for (int c = 0; c < k; c++) all += exp(alpha[c] - top);
    const double of_alpha = top + log(all);
    for (int c = 0; c < k; c++) {
        double square = 0;
        for (int j = 0; j < d; j++) {
            square += diagonal[c * d + j] * diagonal[c * d + j];
            if (out) by_q[c * d + j] += m - gamma * gamma * diagonal[c * d + j] * diagonal[c * d + j];
        }
        for (int j = 0; j < many; j++) {
            square += l[c * many + j] * l[c * many + j];
            if (out) by_l[c * many + j] -= gamma * gamma * l[c * many + j];
        }
        total += m * sums[c] - gamma * gamma / 2 * square;
        if (out) by_alpha[c] -= n * exp(alpha[c] - of_alpha);
    }
    const int nu = d + m + 1;
    double g = d * (d - 1) / 4.0 * log(M_PI);
    for (int j = 1; j <= d; j++) g += std::lgamma((nu + 1 - j) / 2.0);
    return total - n * (d / 2.0 * log(2 * M_PI) + of_alpha)
        + k * (nu * d * log(gamma / std::sqrt(2.0)) - g);
}

double gmm_primal(
    int d, int k, int n, int m, double gamma, const double *x, const double *alpha,
    const double *mu, const double *q, const double *l)
{
    return mixture(d, k, n, m, gamma, x, alpha, mu, q, l, nullptr);
}

void gmm_gradient(
    int d, int k, int n, int m, double gamma, const double *x, const double *alpha,
    const double *mu, const double *q, const double *l, double *out)
{
    mixture(d, k, n, m, gamma, x, alpha, mu, q, l, out);
}

}

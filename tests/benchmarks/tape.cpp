// The GPT of language.py on a tape of scalars, as one would write it in C++: each operation appends
// its value, its arguments and their partial derivatives; a walk back multiplies and adds.
//
// Source: Karpathy 2026, microgpt; Griewank & Walther 2008, Evaluating derivatives, section 3.2.

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

using Real = float;
using Nodes = std::vector<int>;

constexpr int VOCABULARY = 27, BLOCK = 16, D = 16, HEADS = 4, H = D / HEADS;
constexpr int TOKEN = 0, POSITION = TOKEN + VOCABULARY * D, QUERY = POSITION + BLOCK * D;
constexpr int KEY = QUERY + D * D, VALUE = KEY + D * D, OUT = VALUE + D * D, UP = OUT + D * D;
constexpr int DOWN = UP + 4 * D * D, HEAD = DOWN + 4 * D * D, WEIGHTS = HEAD + VOCABULARY * D;

// A node's arguments, and its partial derivative with respect to each. A sum of products is one
// node a term: two factors, and the sum so far.
struct Node {
    int count, arguments[3];
    Real partials[3];
};

constexpr int MOST = 1 << 17; // more than a document of 16 positions has
Node tape[MOST];
Real values[MOST], slopes[MOST];
int size;

Real at(int i) { return values[i]; }

int append(Real value, int a, Real d_a, int b, Real d_b, int c, Real d_c, int count)
{
    Node &node = tape[size];
    node.count = count;
    node.arguments[0] = a, node.arguments[1] = b, node.arguments[2] = c;
    node.partials[0] = d_a, node.partials[1] = d_b, node.partials[2] = d_c;
    values[size] = value;
    return size++;
}

int append(Real value, int a, Real d_a) { return append(value, a, d_a, 0, 0, 0, 0, 1); }

int append(Real value, int a, Real d_a, int b, Real d_b)
{
    return append(value, a, d_a, b, d_b, 0, 0, 2);
}

int add(int a, int b) { return append(at(a) + at(b), a, 1, b, 1); }
int mul(int a, int b) { return append(at(a) * at(b), a, at(b), b, at(a)); }
int times(int a, Real by) { return append(at(a) * by, a, by); }
int relu(int a) { return append(std::max(at(a), Real(0)), a, at(a) > 0); }
int log(int a) { return append(std::log(at(a)), a, 1 / at(a)); }

int exp_minus(int a, Real top)
{
    const Real value = std::exp(at(a) - top);
    return append(value, a, value);
}

int div(int a, int b)
{
    const Real inverse = 1 / at(b), value = at(a) * inverse;
    return append(value, a, inverse, b, -value * inverse);
}

int mul_add(int a, int b, int sum)
{
    return append(at(a) * at(b) + at(sum), a, at(b), b, at(a), sum, 1, 3);
}

Nodes linear(int weights, int outs, const Nodes &x)
{
    Nodes out;
    for (int o = 0; o < outs; o++, weights += x.size()) {
        int sum = mul(weights, x[0]);
        for (size_t i = 1; i < x.size(); i++) sum = mul_add(weights + i, x[i], sum);
        out.push_back(sum);
    }
    return out;
}

Nodes softmax(const Nodes &x)
{
    Real top = at(x[0]);
    for (int i : x) top = std::max(top, at(i));
    Nodes out;
    for (int i : x) out.push_back(exp_minus(i, top));
    int total = out[0];
    for (size_t i = 1; i < out.size(); i++) total = add(total, out[i]);
    for (int &i : out) i = div(i, total);
    return out;
}

Nodes norm(const Nodes &x)
{
    int total = mul(x[0], x[0]);
    for (int i = 1; i < D; i++) total = mul_add(x[i], x[i], total);
    const Real mean = at(total) / D + Real(1e-5), scale = 1 / std::sqrt(mean);
    const int by = append(scale, total, -scale / (2 * D * mean));
    Nodes out;
    for (int i : x) out.push_back(mul(i, by));
    return out;
}

Nodes added(const Nodes &x, const Nodes &y)
{
    Nodes out;
    for (int i = 0; i < D; i++) out.push_back(add(x[i], y[i]));
    return out;
}

int loss_of(const int *tokens, int length)
{
    std::vector<Nodes> keys, values;
    int total = -1;
    for (int t = 0; t < length; t++) {
        Nodes x, mixed;
        for (int i = 0; i < D; i++)
            x.push_back(add(TOKEN + tokens[t] * D + i, POSITION + t * D + i));
        x = norm(x);
        const Nodes y = norm(x), query = linear(QUERY, D, y);
        keys.push_back(linear(KEY, D, y)), values.push_back(linear(VALUE, D, y));
        for (int h = 0; h < D; h += H) {
            Nodes scores;
            for (const Nodes &key : keys) {
                int sum = mul(query[h], key[h]);
                for (int j = h + 1; j < h + H; j++) sum = mul_add(query[j], key[j], sum);
                scores.push_back(times(sum, 1 / std::sqrt(Real(H))));
            }
            const Nodes looks = softmax(scores);
            for (int j = h; j < h + H; j++) {
                int sum = mul(looks[0], values[0][j]);
                for (int s = 1; s <= t; s++) sum = mul_add(looks[s], values[s][j], sum);
                mixed.push_back(sum);
            }
        }
        x = added(x, linear(OUT, D, mixed));
        Nodes hidden = linear(UP, 4 * D, norm(x));
        for (int &i : hidden) i = relu(i);
        x = added(x, linear(DOWN, D, hidden));
        const int likely = log(softmax(linear(HEAD, VOCABULARY, x))[tokens[t + 1]]);
        total = t ? add(total, likely) : likely;
    }
    return times(total, Real(-1) / length);
}

} // namespace

// Train on a document a step, as gpt.cpp does.
extern "C" void train(Real *weights, const int *tokens, const int *lengths, int, int steps,
                      double *losses)
{
    std::vector<Real> first(WEIGHTS), second(WEIGHTS);
    std::copy(weights, weights + WEIGHTS, values);
    for (int step = 0; step < steps; tokens += lengths[step++] + 1) {
        size = WEIGHTS;
        const int loss = loss_of(tokens, lengths[step]);
        losses[step] = at(loss);
        std::fill(slopes, slopes + size, Real(0));
        slopes[loss] = 1;
        for (int i = loss; i >= WEIGHTS; i--) {
            const Node &node = tape[i];
            const Real slope = slopes[i];
            slopes[node.arguments[0]] += slope * node.partials[0];
            if (node.count > 1) slopes[node.arguments[1]] += slope * node.partials[1];
            if (node.count > 2) slopes[node.arguments[2]] += slope * node.partials[2];
        }
        const Real rate = 0.01 * (1 - double(step) / steps) / (1 - std::pow(0.85, step + 1));
        const Real whole = 1 / (1 - std::pow(0.99, step + 1));
        for (int i = 0; i < WEIGHTS; i++) {
            first[i] = Real(0.85) * first[i] + Real(0.15) * slopes[i];
            second[i] = Real(0.99) * second[i] + Real(0.01) * slopes[i] * slopes[i];
            values[i] -= rate * first[i] / (std::sqrt(second[i] * whole) + Real(1e-8));
        }
    }
    std::copy(values, values + WEIGHTS, weights);
}

// The GPT of language.py as one would write it by hand in C++: the positions of all documents of a
// step in one matrix, products of matrices in tiles that stay in registers, the gradients by
// reverse accumulation on paper, Adam.
//
// Source: Karpathy 2026, microgpt (the model); Goto & van de Geijn 2008, Anatomy of
// high-performance matrix multiplication (tiles).

#include <algorithm>
#include <cmath>
#include <memory>

namespace {

constexpr int VOCABULARY = 27, PADDED = 32, BLOCK = 16, HEADS = 4, DOCUMENTS = 16;
constexpr int MOST = DOCUMENTS * BLOCK;

template <class Real> struct Lanes {
    typedef Real Vector
        __attribute__((vector_size(__BIGGEST_ALIGNMENT__), aligned(alignof(Real)), may_alias));
    static constexpr int COUNT = __BIGGEST_ALIGNMENT__ / sizeof(Real);
};

// out[m][n] = sum of a[m * down + k * right] * b[k][n], added to what is there or in its place.
template <bool ADD, int ROWS, int VECTORS, class Real>
inline void tile(const Real *a, int down, int right, int terms, const Real *b, int width, Real *out)
{
    using Vector = typename Lanes<Real>::Vector;
    Vector sums[ROWS][VECTORS] = {};
    for (int k = 0; k < terms; k++) {
        const Vector *row = (const Vector *)(b + k * width);
        for (int m = 0; m < ROWS; m++)
            for (int v = 0; v < VECTORS; v++) sums[m][v] += a[m * down + k * right] * row[v];
    }
    for (int m = 0; m < ROWS; m++) {
        Vector *place = (Vector *)(out + m * width);
        for (int v = 0; v < VECTORS; v++) place[v] = ADD ? place[v] + sums[m][v] : sums[m][v];
    }
}

template <bool ADD, int ROWS, int WIDTH, class Real>
inline void rows(const Real *a, int down, int right, int terms, const Real *b, Real *out)
{
    constexpr int LANES = Lanes<Real>::COUNT;
    int n = 0;
    for (; n + 2 * LANES <= WIDTH; n += 2 * LANES)
        tile<ADD, ROWS, 2>(a, down, right, terms, b + n, WIDTH, out + n);
    if (n < WIDTH) tile<ADD, ROWS, 1>(a, down, right, terms, b + n, WIDTH, out + n);
}

template <bool ADD, int WIDTH, class Real>
void product(const Real *a, int down, int right, int count, int terms, const Real *b, Real *out)
{
    int m = 0;
    for (; m + 4 <= count; m += 4)
        rows<ADD, 4, WIDTH>(a + m * down, down, right, terms, b, out + m * WIDTH);
    a += m * down, out += m * WIDTH;
    if (count - m == 3) rows<ADD, 3, WIDTH>(a, down, right, terms, b, out);
    if (count - m == 2) rows<ADD, 2, WIDTH>(a, down, right, terms, b, out);
    if (count - m == 1) rows<ADD, 1, WIDTH>(a, down, right, terms, b, out);
}

// Return where a matrix begins, as one row after the other.
template <class Real, int N, int M> inline Real *flat(Real (&matrix)[N][M])
{
    return (Real *)&matrix;
}

template <class Real, int D> struct Weights {
    Real token[VOCABULARY][D], position[BLOCK][D];
    Real qkv[3 * D][D], out[D][D], up[4 * D][D], down[D][4 * D];
    Real head[VOCABULARY][D];
};

template <class Real, int D> class Trainer {
    static constexpr int H = D / HEADS, COUNT = sizeof(Weights<Real, D>) / sizeof(Real);

    Weights<Real, D> &w, gradient;
    Real first[COUNT] = {}, second[COUNT] = {};
    Real qkv_t[D][3 * D], out_t[D][D], up_t[D][4 * D], down_t[4 * D][D], head_t[D][PADDED] = {};
    int positions, tokens[MOST], targets[MOST];
    Real share[MOST];
    Real x[MOST][D], y[MOST][D], qkv[MOST][3 * D], mixed[MOST][D], x1[MOST][D], z[MOST][D];
    Real hidden[MOST][4 * D], x2[MOST][D], logits[MOST][PADDED];
    Real scale0[MOST], scale1[MOST], scale2[MOST];
    Real looks[DOCUMENTS][HEADS][BLOCK][BLOCK];
    Real dx[MOST][D], dy[MOST][D], dqkv[MOST][3 * D], dmixed[MOST][D], dhidden[MOST][4 * D];

    // By eight rows: more, a power of 2 apart, wouldn't stay in a cache.
    template <int N, int M> static void transpose(const Real (&from)[N][M], Real *to, int width)
    {
        for (int first = 0; first < N; first += 8)
            for (int j = 0; j < M; j++)
                for (int i = first; i < std::min(N, first + 8); i++) to[j * width + i] = from[i][j];
    }

    void norm(const Real (*from)[D], Real (*to)[D], Real *scale)
    {
        for (int p = 0; p < positions; p++) {
            Real total = 0;
            for (int i = 0; i < D; i++) total += from[p][i] * from[p][i];
            scale[p] = 1 / std::sqrt(total / D + Real(1e-5));
            for (int i = 0; i < D; i++) to[p][i] = from[p][i] * scale[p];
        }
    }

    void norm_back(const Real (*y)[D], const Real *scale, const Real (*dy)[D], Real (*dx)[D])
    {
        for (int p = 0; p < positions; p++) {
            Real along = 0;
            for (int i = 0; i < D; i++) along += dy[p][i] * y[p][i];
            along /= D;
            for (int i = 0; i < D; i++) dx[p][i] += scale[p] * (dy[p][i] - y[p][i] * along);
        }
    }

    // Positions that look are lanes: what each does with all that are looked at is the same.
    template <int L> void attend(int document, int start, int n)
    {
        for (int h = 0; h < HEADS; h++) {
            const Real(*rows)[3 * D] = qkv + start;
            const int q = h * H, k = D + h * H, v = 2 * D + h * H;
            Real query[H][L] = {}, sums[H][L] = {}, top[L], total[L] = {};
            for (int t = 0; t < n; t++)
                for (int j = 0; j < H; j++) query[j][t] = rows[t][q + j] / std::sqrt(Real(H));
            Real(*look)[BLOCK] = looks[document][h];
            std::fill(top, top + L, Real(-1e30));
            for (int s = 0; s < n; s++) {
                Real score[L] = {};
                for (int j = 0; j < H; j++)
                    for (int t = 0; t < L; t++) score[t] += rows[s][k + j] * query[j][t];
                for (int t = 0; t < L; t++) {
                    look[s][t] = t < s ? Real(-1e30) : score[t];
                    top[t] = std::max(top[t], look[s][t]);
                }
            }
            for (int s = 0; s < n; s++)
                for (int t = 0; t < L; t++) total[t] += look[s][t] = std::exp(look[s][t] - top[t]);
            for (int t = 0; t < L; t++) total[t] = 1 / total[t];
            for (int s = 0; s < n; s++) {
                for (int t = 0; t < L; t++) look[s][t] *= total[t];
                for (int j = 0; j < H; j++)
                    for (int t = 0; t < L; t++) sums[j][t] += rows[s][v + j] * look[s][t];
            }
            for (int t = 0; t < n; t++)
                for (int j = 0; j < H; j++) mixed[start + t][q + j] = sums[j][t];
        }
    }

    template <int L> void attend_back(int document, int start, int n)
    {
        for (int h = 0; h < HEADS; h++) {
            const Real(*rows)[3 * D] = qkv + start, (*given)[D] = dmixed + start;
            Real(*back)[3 * D] = dqkv + start;
            const int q = h * H, k = D + h * H, v = 2 * D + h * H;
            const Real(*look)[BLOCK] = looks[document][h], unit = 1 / std::sqrt(Real(H));
            Real out[H][L] = {}, query[H][L] = {}, slope[BLOCK][L], along[L] = {};
            for (int t = 0; t < n; t++)
                for (int j = 0; j < H; j++) out[j][t] = given[t][q + j];
            for (int s = 0; s < n; s++) {
                std::fill(slope[s], slope[s] + L, Real(0));
                for (int j = 0; j < H; j++)
                    for (int t = 0; t < L; t++) slope[s][t] += rows[s][v + j] * out[j][t];
                for (int t = 0; t < L; t++) along[t] += look[s][t] * slope[s][t];
            }
            for (int s = 0; s < n; s++) {
                for (int t = 0; t < L; t++)
                    slope[s][t] = look[s][t] * (slope[s][t] - along[t]) * unit;
                for (int j = 0; j < H; j++)
                    for (int t = 0; t < L; t++) query[j][t] += rows[s][k + j] * slope[s][t];
                Real key[H] = {}, value[H] = {};
                for (int t = s; t < n; t++)
                    for (int j = 0; j < H; j++) {
                        key[j] += slope[s][t] * rows[t][q + j];
                        value[j] += look[s][t] * given[t][q + j];
                    }
                for (int j = 0; j < H; j++) back[s][k + j] = key[j], back[s][v + j] = value[j];
            }
            for (int t = 0; t < n; t++)
                for (int j = 0; j < H; j++) back[t][q + j] = query[j][t];
        }
    }

    // Logits become their slopes.
    Real losses()
    {
        Real total = 0;
        for (int p = 0; p < positions; p++) {
            Real *row = logits[p], top = row[0], sum = 0;
            const Real wanted = row[targets[p]];
            for (int i = 1; i < VOCABULARY; i++) top = std::max(top, row[i]);
            for (int i = 0; i < PADDED; i++)
                sum += row[i] = i < VOCABULARY ? std::exp(row[i] - top) : Real(0);
            total += share[p] * (top + std::log(sum) - wanted);
            for (int i = 0; i < PADDED; i++) row[i] *= share[p] / sum;
            row[targets[p]] -= share[p];
        }
        return total;
    }

public:
    explicit Trainer(Real *weights) : w(*(Weights<Real, D> *)weights) {}

    // Return the mean loss, with its gradient in its place.
    Real differentiate(const int *const *documents, const int *lengths, int count)
    {
        int starts[DOCUMENTS];
        positions = 0;
        for (int d = 0; d < count; d++) {
            starts[d] = positions;
            for (int t = 0; t < lengths[d]; t++, positions++) {
                tokens[positions] = documents[d][t], targets[positions] = documents[d][t + 1];
                share[positions] = Real(1) / (lengths[d] * count);
                for (int i = 0; i < D; i++)
                    x1[positions][i] = w.token[tokens[positions]][i] + w.position[t][i];
            }
        }
        const int P = positions;
        transpose(w.qkv, flat(qkv_t), 3 * D), transpose(w.out, flat(out_t), D);
        transpose(w.up, flat(up_t), 4 * D), transpose(w.down, flat(down_t), D);
        transpose(w.head, flat(head_t), PADDED);

        norm(x1, x, scale0), norm(x, y, scale1);
        product<false, 3 * D>(flat(y), D, 1, P, D, flat(qkv_t), flat(qkv));
        for (int d = 0; d < count; d++)
            lengths[d] <= 8 ? attend<8>(d, starts[d], lengths[d])
                            : attend<16>(d, starts[d], lengths[d]);
        std::copy(flat(x), flat(x) + P * D, flat(x1));
        product<true, D>(flat(mixed), D, 1, P, D, flat(out_t), flat(x1));
        norm(x1, z, scale2);
        product<false, 4 * D>(flat(z), D, 1, P, D, flat(up_t), flat(hidden));
        for (int i = 0; i < P * 4 * D; i++) flat(hidden)[i] = std::max(flat(hidden)[i], Real(0));
        std::copy(flat(x1), flat(x1) + P * D, flat(x2));
        product<true, D>(flat(hidden), 4 * D, 1, P, 4 * D, flat(down_t), flat(x2));
        product<false, PADDED>(flat(x2), D, 1, P, D, flat(head_t), flat(logits));
        const Real loss = losses();

        product<false, D>(flat(logits), 1, PADDED, VOCABULARY, P, flat(x2), flat(gradient.head));
        product<false, D>(flat(logits), PADDED, 1, P, VOCABULARY, flat(w.head), flat(dx));
        product<false, 4 * D>(flat(dx), 1, D, D, P, flat(hidden), flat(gradient.down));
        product<false, 4 * D>(flat(dx), D, 1, P, D, flat(w.down), flat(dhidden));
        for (int i = 0; i < P * 4 * D; i++)
            flat(dhidden)[i] = flat(hidden)[i] > 0 ? flat(dhidden)[i] : 0;
        product<false, D>(flat(dhidden), 1, 4 * D, 4 * D, P, flat(z), flat(gradient.up));
        product<false, D>(flat(dhidden), 4 * D, 1, P, 4 * D, flat(w.up), flat(dy));
        norm_back(z, scale2, dy, dx);
        product<false, D>(flat(dx), 1, D, D, P, flat(mixed), flat(gradient.out));
        product<false, D>(flat(dx), D, 1, P, D, flat(w.out), flat(dmixed));
        for (int d = 0; d < count; d++)
            lengths[d] <= 8 ? attend_back<8>(d, starts[d], lengths[d])
                            : attend_back<16>(d, starts[d], lengths[d]);
        product<false, D>(flat(dqkv), 1, 3 * D, 3 * D, P, flat(y), flat(gradient.qkv));
        product<false, D>(flat(dqkv), 3 * D, 1, P, 3 * D, flat(w.qkv), flat(dy));
        norm_back(y, scale1, dy, dx);
        std::fill(flat(dy), flat(dy) + P * D, Real(0));
        norm_back(x, scale0, dx, dy);
        std::fill(flat(gradient.token), flat(gradient.qkv), Real(0));
        for (int d = 0; d < count; d++)
            for (int t = 0; t < lengths[d]; t++)
                for (int i = 0, p = starts[d] + t; i < D; i++) {
                    gradient.token[tokens[p]][i] += dy[p][i];
                    gradient.position[t][i] += dy[p][i];
                }
        return loss;
    }

    // A step of Adam, the step-th from 1.
    void update(double rate, int step)
    {
        constexpr double KEPT = 0.85, SQUARES = 0.99;
        const Real fast = KEPT, slow = SQUARES;
        const Real pace = rate / (1 - std::pow(KEPT, step));
        const Real whole = 1 / (1 - std::pow(SQUARES, step));
        Real *weights = (Real *)&w, *slopes = (Real *)&gradient;
        for (int i = 0; i < COUNT; i++) {
            first[i] = fast * first[i] + (1 - fast) * slopes[i];
            second[i] = slow * second[i] + (1 - slow) * slopes[i] * slopes[i];
            weights[i] -= pace * first[i] / (std::sqrt(second[i] * whole) + Real(1e-8));
        }
    }
};

template <class Real, int D>
void train(Real *weights, const int *tokens, const int *lengths, int batch, int steps,
           double *losses)
{
    auto trainer = std::make_unique<Trainer<Real, D>>(weights);
    for (int step = 0; step < steps; step++, lengths += batch) {
        const int *documents[DOCUMENTS];
        for (int d = 0; d < batch; tokens += lengths[d++] + 1) documents[d] = tokens;
        losses[step] = trainer->differentiate(documents, lengths, batch);
        trainer->update(0.01 * (1 - double(step) / steps), step + 1);
    }
}

} // namespace

// Train on batch documents a step, whose tokens follow each other, lengths[d] + 1 of each: one
// after each position. The weights are those of GPT(27, embedding=D) in the order of its parameters.
extern "C" {
void train_float64_16(double *w, const int *tokens, const int *lengths, int batch, int steps,
                      double *losses)
{
    train<double, 16>(w, tokens, lengths, batch, steps, losses);
}
void train_float32_16(float *w, const int *tokens, const int *lengths, int batch, int steps,
                      double *losses)
{
    train<float, 16>(w, tokens, lengths, batch, steps, losses);
}
void train_float32_64(float *w, const int *tokens, const int *lengths, int batch, int steps,
                      double *losses)
{
    train<float, 64>(w, tokens, lengths, batch, steps, losses);
}
}

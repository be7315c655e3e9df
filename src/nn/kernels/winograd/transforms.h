// src/nn/kernels/winograd/transforms.h - Winograd's F(4, 3) in one dimension, with the points 0, 1, -1, 2, -2
// and infinity, and F(2, 3), with the points 0, 1, -1 and infinity.
#pragma once

// Source  Lavin & Gray, CVPR 2016 (arXiv 1509.09308), section 4.2: y = A^T [(G g) . (B^T d)]; the gradients
// are the transposes. T is a float or a vector of them. In two dimensions each is applied to columns, then
// rows.
namespace glidepath::winograd {
namespace {

/// B^T: 6 inputs.
template <typename T>
inline __attribute__((always_inline)) void transform_input(const T (&d)[6], T (&v)[6]) {
  const T far = d[4] - 4.0F * d[2], odd = d[3] - 4.0F * d[1];
  const T near = d[4] - d[2], twice = 2.0F * (d[3] - d[1]);
  v[0] = 4.0F * d[0] - 5.0F * d[2] + d[4];
  v[1] = far + odd;
  v[2] = far - odd;
  v[3] = near + twice;
  v[4] = near - twice;
  v[5] = 4.0F * d[1] - 5.0F * d[3] + d[5];
}

/// A^T: 6 products to 4 outputs.
template <typename T>
inline __attribute__((always_inline)) void transform_output(const T (&m)[6], T (&y)[4]) {
  const T sum1 = m[1] + m[2], difference1 = m[1] - m[2];
  const T sum2 = m[3] + m[4], difference2 = m[3] - m[4];
  y[0] = m[0] + sum1 + sum2;
  y[1] = difference1 + 2.0F * difference2;
  y[2] = sum1 + 4.0F * sum2;
  y[3] = difference1 + 8.0F * difference2 + m[5];
}

/// A: the gradients of 4 outputs.
template <typename T>
inline __attribute__((always_inline)) void transform_gradient(const T (&y)[4], T (&z)[6]) {
  const T even1 = y[0] + y[2], odd1 = y[1] + y[3];
  const T even2 = y[0] + 4.0F * y[2], odd2 = 2.0F * y[1] + 8.0F * y[3];
  z[0] = y[0];
  z[1] = even1 + odd1;
  z[2] = even1 - odd1;
  z[3] = even2 + odd2;
  z[4] = even2 - odd2;
  z[5] = y[3];
}

/// G: 3 taps.
template <typename T>
inline __attribute__((always_inline)) void transform_filter(const T (&g)[3], T (&u)[6]) {
  const T ends = (g[0] + g[2]) * (-1.0F / 6), middle = g[1] * (1.0F / 6);
  const T far = g[0] * (1.0F / 24) + g[2] * (1.0F / 6), half = g[1] * (1.0F / 12);
  u[0] = 0.25F * g[0];
  u[1] = ends - middle;
  u[2] = ends + middle;
  u[3] = far + half;
  u[4] = far - half;
  u[5] = g[2];
}

/// G^T: the gradients of 3 taps.
template <typename T>
inline __attribute__((always_inline)) void transform_filter_gradient(const T (&u)[6], T (&g)[3]) {
  const T sum1 = (u[1] + u[2]) * (1.0F / 6), sum2 = u[3] + u[4];
  g[0] = 0.25F * u[0] - sum1 + sum2 * (1.0F / 24);
  g[1] = (u[2] - u[1]) * (1.0F / 6) + (u[3] - u[4]) * (1.0F / 12);
  g[2] = sum2 * (1.0F / 6) - sum1 + u[5];
}

/// A^T of F(2, 3): 4 products to 2 outputs.
template <typename T>
inline __attribute__((always_inline)) void transform_output(const T (&m)[4], T (&y)[2]) {
  y[0] = m[0] + (m[1] + m[2]);
  y[1] = (m[1] - m[2]) - m[3];
}

/// A of F(2, 3).
template <typename T>
inline __attribute__((always_inline)) void transform_gradient(const T (&y)[2], T (&z)[4]) {
  z[0] = y[0];
  z[1] = y[0] + y[1];
  z[2] = y[0] - y[1];
  z[3] = -y[1];
}

/// G of F(2, 3).
template <typename T>
inline __attribute__((always_inline)) void transform_filter(const T (&g)[3], T (&u)[4]) {
  const T ends = 0.5F * (g[0] + g[2]), middle = 0.5F * g[1];
  u[0] = g[0];
  u[1] = ends + middle;
  u[2] = ends - middle;
  u[3] = g[2];
}

/// G^T of F(2, 3).
template <typename T>
inline __attribute__((always_inline)) void transform_filter_gradient(const T (&u)[4], T (&g)[3]) {
  const T sum = 0.5F * (u[1] + u[2]);
  g[0] = u[0] + sum;
  g[1] = 0.5F * (u[1] - u[2]);
  g[2] = sum + u[3];
}

}  // namespace
}  // namespace glidepath::winograd

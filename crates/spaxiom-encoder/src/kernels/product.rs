//! Products of matrices, by faer.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// `out = left * right`, or `out += left * right`; a row of `out` depends on that row of `left` alone.
///
/// faer sums in the same order for every number of rows, except for one: a single row is a matrix times a vector, summed in another order.
/// So a single row is multiplied together with a row of zeros.
///
/// # Shapes
/// - left: `[n, k]`, right: `[k, m]`, out: `[n, m]`
pub(crate) fn multiply(out: MatMut<'_, f32>, accum: Accum, left: MatRef<'_, f32>, right: MatRef<'_, f32>, par: Par) {
    if left.nrows() != 1 {
        return matmul(out, accum, left, right, 1.0, par);
    }
    let (k, m) = (left.ncols(), right.ncols());
    let (mut pair, mut products) = (vec![0.0; 2 * k], vec![0.0; 2 * m]);
    for (to, from) in pair.iter_mut().zip(left.row(0).iter()) {
        *to = *from;
    }
    if accum == Accum::Add {
        for (to, from) in products.iter_mut().zip(out.as_ref().row(0).iter()) {
            *to = *from;
        }
    }
    let pair = MatRef::from_row_major_slice(&pair, 2, k);
    matmul(MatMut::from_row_major_slice_mut(&mut products, 2, m), accum, pair, right, 1.0, par);
    for (to, from) in out.row_mut(0).iter_mut().zip(&products) {
        *to = *from;
    }
}

/// The product of the rows of two slices, `[n, k]` and `[k, m]`, as [`multiply`].
pub(crate) fn multiply_rows(out: &mut [f32], accum: Accum, left: &[f32], right: MatRef<'_, f32>, par: Par) {
    let (k, m) = (right.nrows(), right.ncols());
    let n = left.len() / k;
    multiply(MatMut::from_row_major_slice_mut(out, n, m), accum, MatRef::from_row_major_slice(left, n, k), right, par);
}

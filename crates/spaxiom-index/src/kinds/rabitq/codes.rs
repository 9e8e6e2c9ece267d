//! Codes of a few bits per value, and inner products estimated from them.
//!
//! For a vector `x = c + r` with the center `c` of its list, `<x, q> = <c, q> + <r, c> + <r, q - c>`.
//! The first is one number per list and query, the second one per vector; the third is estimated as
//! `<r, r> / <o, r> * <o, q - c>`, where `o` is what the code stands for: without bias over rotations (Gao and Long 2024).
#![expect(clippy::inline_always, reason = "what is not inlined is not compiled for the widest instructions")]

use crate::id_set::IdSet;
use crate::kernels::vectorized;
use crate::vector_index::Nearest;
use crate::vectors::VectorId;

/// Widths of the steps of a uniform quantizer with the least error on normal values, in standard deviations (Max 1960).
const STEPS: [(u32, f32); 3] = [(1, 1.595_8), (2, 0.995_7), (4, 0.335_2)];

/// Values of a code, and bits of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CodeShape {
    dim: usize,
    bits: u32,
}

impl CodeShape {
    pub(super) fn new(dim: usize, bits: u32) -> Self {
        Self { dim, bits }
    }

    pub(super) fn dim(self) -> usize {
        self.dim
    }

    pub(super) fn bits(self) -> u32 {
        self.bits
    }

    /// Values of a rotated vector.
    pub(super) fn n_values(self) -> usize {
        self.dim.next_multiple_of(64)
    }

    /// Words of one bit of every value.
    fn plane(self) -> usize {
        self.n_values() / 64
    }

    /// Words of a code: one plane after another, the least bit first.
    pub(super) fn n_words(self) -> usize {
        self.bits as usize * self.plane()
    }

    /// What a code of zeros stands for, in steps.
    fn lowest(self) -> f32 {
        0.5 - (1 << (self.bits - 1)) as f32
    }

    /// Bits of a query's values: its rounding adds little to that of the code.
    fn query_bits(self) -> usize {
        match self.bits {
            1 => 4,
            2 => 6,
            _ => 8,
        }
    }
}

/// Writes the code of a rotated vector in the list of `center`; gives what is added to and multiplied with an estimate.
pub(super) fn encode(rotated: &[f32], center: &[f32], shape: CodeShape, code: &mut [u64]) -> [f32; 2] {
    vectorized(
        #[inline(always)]
        || encode_inlined(rotated, center, shape, code),
    )
}

#[inline(always)]
fn encode_inlined(rotated: &[f32], center: &[f32], shape: CodeShape, code: &mut [u64]) -> [f32; 2] {
    let mut rest = vec![0f32; rotated.len()];
    for ((rest, value), center) in rest.iter_mut().zip(rotated).zip(center) {
        *rest = value - center;
    }
    let square: f32 = rest.iter().map(|value| value * value).sum();
    let along_center: f32 = rest.iter().zip(center).map(|(value, center)| value * center).sum();
    let (_, step) = STEPS.into_iter().find(|(bits, _)| *bits == shape.bits).expect("1, 2 or 4 bits");
    let step = step * (square / rest.len() as f32).sqrt();
    let half = (1 << (shape.bits - 1)) as f32;
    let mut product = 0.0;
    for (place, value) in rest.iter().enumerate() {
        let level = if step > 0.0 { (value / step + half).floor().clamp(0.0, 2.0 * half - 1.0) } else { 0.0 };
        product += (level + shape.lowest()) * value;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the levels")]
        let level = level as u64;
        for bit in 0..shape.bits as usize {
            code[bit * shape.plane() + place / 64] |= (level >> bit & 1) << (place % 64);
        }
    }
    [along_center, if product > 0.0 { square / product } else { 0.0 }]
}

/// A query minus the center of a list, rounded to a few bits.
#[derive(Debug)]
pub(super) struct QueryCode {
    shape: CodeShape,
    /// For every word of a plane the words of its bits, the least first.
    planes: Vec<u64>,
    rest: Vec<f32>,
    levels: Vec<u8>,
    step: f32,
    /// Sum of the values.
    sum: f32,
}

impl QueryCode {
    pub(super) fn new(shape: CodeShape) -> Self {
        let planes = vec![0; shape.plane() * shape.query_bits()];
        let n = shape.n_values();
        Self { shape, planes, rest: vec![0.0; n], levels: vec![0; n], step: 0.0, sum: 0.0 }
    }

    pub(super) fn quantize(&mut self, query: &[f32], center: &[f32]) {
        vectorized(
            #[inline(always)]
            || self.quantize_inlined(query, center),
        );
    }

    #[inline(always)]
    fn quantize_inlined(&mut self, query: &[f32], center: &[f32]) {
        let n_bits = self.shape.query_bits();
        let greatest_level = ((1 << (n_bits - 1)) - 1) as f32;
        let Self { planes, rest, levels, .. } = self;
        let (mut sums, mut greatest) = ([0f32; 16], [0f32; 16]);
        let lanes = rest.chunks_exact_mut(16).zip(query.chunks_exact(16)).zip(center.chunks_exact(16));
        for ((rest, query), center) in lanes {
            for lane in 0..16 {
                rest[lane] = query[lane] - center[lane];
                sums[lane] += rest[lane];
                greatest[lane] = greatest[lane].max(rest[lane].abs());
            }
        }
        let step = greatest.iter().fold(0f32, |a, b| a.max(*b)) / greatest_level;
        let scale = if step > 0.0 { 1.0 / step } else { 0.0 };
        for (level, value) in levels.iter_mut().zip(rest.iter()) {
            // Two's complement: the greatest bit counts negative.
            #[expect(clippy::cast_possible_truncation, reason = "at most 127")]
            let rounded = (value * scale).round_ties_even() as i32 as i8;
            *level = rounded.cast_unsigned();
        }
        for (levels, words) in levels.chunks_exact(64).zip(planes.chunks_exact_mut(n_bits)) {
            words.fill(0);
            for (eighth, levels) in levels.chunks_exact(8).enumerate() {
                let levels = u64::from_le_bytes(levels.try_into().expect("eight bytes"));
                for (bit, word) in words.iter_mut().enumerate() {
                    *word |= gathered(levels >> bit) << (8 * eighth);
                }
            }
        }
        (self.step, self.sum) = (step, sums.iter().sum());
    }

    /// Offers the estimates of a list; gives the number of vectors that are in `among`.
    pub(super) fn scan(
        &self,
        list: ListCodes<'_>,
        among: Option<&IdSet>,
        center_similarity: f32,
        found: &mut Found,
    ) -> usize {
        vectorized(
            #[inline(always)]
            || match self.shape.bits {
                1 => self.scan_planes::<1, 4>(list, among, center_similarity, found),
                2 => self.scan_planes::<2, 6>(list, among, center_similarity, found),
                _ => self.scan_planes::<4, 8>(list, among, center_similarity, found),
            },
        )
    }

    #[inline(always)]
    fn scan_planes<const BITS: usize, const QUERY_BITS: usize>(
        &self,
        list: ListCodes<'_>,
        among: Option<&IdSet>,
        center_similarity: f32,
        found: &mut Found,
    ) -> usize {
        let ListCodes { codes, factors, ids } = list;
        let of_lowest = self.shape.lowest() * self.sum;
        let mut n_seen = 0;
        for ((code, &[add, times]), &id) in codes.chunks_exact(self.shape.n_words()).zip(factors).zip(ids) {
            let id = VectorId(i64::from(id));
            if among.is_some_and(|among| !among.contains(id)) {
                continue;
            }
            n_seen += 1;
            let levels = self.product::<BITS, QUERY_BITS>(code);
            let estimate = center_similarity + add + times * (self.step * levels as f32 + of_lowest);
            if estimate >= found.nearest.least() {
                found.nearest.offer(id, estimate);
                found.best.offer(id, estimate);
            }
        }
        n_seen
    }

    /// The inner product of the levels of a code with those of the query.
    #[inline(always)]
    fn product<const BITS: usize, const QUERY_BITS: usize>(&self, code: &[u64]) -> i32 {
        let n_planes = self.shape.plane();
        let mut product = 0;
        for bit in 0..BITS {
            let mut counts = [0u32; QUERY_BITS];
            let plane = &code[bit * n_planes..(bit + 1) * n_planes];
            for (word, query) in plane.iter().zip(self.planes.chunks_exact(QUERY_BITS)) {
                for (count, query) in counts.iter_mut().zip(query) {
                    *count += (word & query).count_ones();
                }
            }
            for (query_bit, &count) in counts.iter().enumerate() {
                let weighed = count.cast_signed() << (query_bit + bit);
                product += if query_bit + 1 == QUERY_BITS { -weighed } else { weighed };
            }
        }
        product
    }
}

/// The lowest bits of eight bytes, that of the lowest byte first.
#[inline(always)]
fn gathered(bytes: u64) -> u64 {
    (bytes & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// Candidates, and the best of them.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) nearest: Nearest,
    pub(super) best: Nearest,
}

/// The vectors of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListCodes<'a> {
    pub(super) codes: &'a [u64],
    /// What is added to and multiplied with an estimate.
    pub(super) factors: &'a [[f32; 2]],
    pub(super) ids: &'a [u32],
}

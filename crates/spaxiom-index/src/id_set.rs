//! Sets of vector ids.

use crate::vectors::VectorId;

/// Ids in one word.
const WORD: usize = u64::BITS as usize;

/// A set of vector ids, one bit for every id up to the greatest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdSet {
    words: Vec<u64>,
}

impl FromIterator<VectorId> for IdSet {
    /// # Panics
    /// For a negative id.
    fn from_iter<I: IntoIterator<Item = VectorId>>(ids: I) -> Self {
        let mut set = Self::default();
        ids.into_iter().for_each(|id| set.insert(place(id).expect("ids are not negative")));
        set
    }
}

impl IdSet {
    /// Every id below `n`.
    #[must_use]
    pub fn below(n: usize) -> Self {
        let mut words = vec![u64::MAX; n / WORD];
        if !n.is_multiple_of(WORD) {
            words.push((1 << (n % WORD)) - 1);
        }
        Self { words }
    }

    /// The set that these words are, lowest ids first.
    pub(crate) fn of_words(words: Vec<u64>) -> Self {
        Self { words }
    }

    pub(crate) fn insert(&mut self, place: usize) {
        if self.words.len() <= place / WORD {
            self.words.resize(place / WORD + 1, 0);
        }
        self.words[place / WORD] |= 1 << (place % WORD);
    }

    /// Whether the set holds `id`.
    #[must_use]
    #[inline]
    pub fn contains(&self, id: VectorId) -> bool {
        place(id).is_some_and(|place| self.words.get(place / WORD).is_some_and(|word| word >> (place % WORD) & 1 == 1))
    }

    /// Whether the set holds an id of a range that begins and ends at multiples of 64.
    pub(crate) fn has_any(&self, range: std::ops::Range<usize>) -> bool {
        let end = range.end.div_ceil(WORD).min(self.words.len());
        self.words.get(range.start / WORD..end).is_some_and(|words| words.iter().any(|word| *word != 0))
    }

    /// Number of ids.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether the set holds no id.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The ids in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = VectorId> {
        (0..).zip(&self.words).flat_map(|(number, &word)| {
            let rest = std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)));
            let rest = rest.take_while(|rest| *rest != 0);
            rest.map(move |rest| VectorId(number * i64::from(u64::BITS) + i64::from(rest.trailing_zeros())))
        })
    }

    /// Takes the ids of `other` out.
    pub(crate) fn remove_all(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// The ids below `n`.
    #[must_use]
    pub(crate) fn cut(&self, n: usize) -> Self {
        let mut words = self.words[..self.words.len().min(n.div_ceil(WORD))].to_vec();
        if words.len() * WORD > n
            && let Some(last) = words.last_mut()
        {
            *last &= (1 << (n % WORD)) - 1;
        }
        Self { words }
    }

    /// One bit per id, eight in a byte, the lowest first.
    #[cfg(feature = "faiss")]
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }
}

fn place(id: VectorId) -> Option<usize> {
    usize::try_from(id.0).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::IdSet;
    use crate::vectors::VectorId;

    proptest! {
        #[test]
        fn it_is_a_set(ids in proptest::collection::btree_set(0i64..300, 0..60), n in 0usize..310) {
            let set: IdSet = ids.iter().copied().map(VectorId).collect();
            prop_assert_eq!(set.len(), ids.len());
            prop_assert_eq!(set.iter().map(|id| id.0).collect::<BTreeSet<_>>(), ids.clone());
            prop_assert!((0..310).all(|id| set.contains(VectorId(id)) == ids.contains(&id)));
            let below: BTreeSet<i64> = ids.iter().copied().filter(|id| usize::try_from(*id).unwrap() < n).collect();
            prop_assert_eq!(set.cut(n).iter().map(|id| id.0).collect::<BTreeSet<_>>(), below.clone());
            let mut rest = set.clone();
            rest.remove_all(&IdSet::below(n));
            prop_assert_eq!(rest.len(), ids.len() - below.len());
            prop_assert_eq!(IdSet::below(n).len(), n);
        }
    }
}

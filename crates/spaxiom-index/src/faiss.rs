//! The only module that calls FAISS, and the only one with `unsafe`.
//!
//! The safe crate around FAISS cannot search a factory-made index from several threads, leaks filters and allows
//! double frees from safe code. This module needs a handful of functions and checks every length before a call.
#![expect(unsafe_code, reason = "FAISS is a C library; every block says why it is sound")]

use std::ffi::{CStr, CString, c_int};
use std::path::Path;
use std::ptr;

use faiss_sys as sys;

use crate::error::IndexError;
use crate::id_set::IdSet;
use crate::index_kind::Progress;
use crate::vector_index::Neighbor;
use crate::vectors::{VectorId, VectorSource};

/// Vectors that are added at once, at least.
const LEAST_PART: usize = 4_096;

/// Calls that a source is added in, at most.
const MOST_PARTS: usize = 64;

unsafe extern "C" {
    /// Sets the threads of the next OpenMP regions of the calling thread; part of the OpenMP runtime that FAISS links.
    fn omp_set_num_threads(n: c_int);
}

/// An owned FAISS index over inner products.
#[derive(Debug)]
pub(crate) struct FaissIndex {
    raw: *mut sys::FaissIndex,
    dim: usize,
}

// SAFETY: the pointer is owned by this value alone, and FAISS keeps no thread-local state in an index.
unsafe impl Send for FaissIndex {}
// SAFETY: `&self` only searches and writes to a file, both of which FAISS allows from several threads at once;
// everything that changes the index takes `&mut self`.
unsafe impl Sync for FaissIndex {}

impl Drop for FaissIndex {
    fn drop(&mut self) {
        // SAFETY: `raw` came from FAISS and is freed once.
        unsafe { sys::faiss_Index_free(self.raw) }
    }
}

impl FaissIndex {
    /// Creates an index from a factory string such as `IDMap,HNSW32`.
    pub(crate) fn from_factory(dim: usize, description: &str) -> Result<Self, IndexError> {
        let description = c_text(description)?;
        let mut raw = ptr::null_mut();
        let metric = sys::FaissMetricType_METRIC_INNER_PRODUCT;
        // SAFETY: `raw` is read only if the call succeeds, which has then written it; the string outlives the call.
        check(unsafe { sys::faiss_index_factory(&raw mut raw, to_c_int(dim), description.as_ptr(), metric) })?;
        Ok(Self { raw, dim })
    }

    /// Reads an index file that this program wrote and whose checksum the caller has verified.
    pub(crate) fn read(path: &Path) -> Result<Self, IndexError> {
        let name = c_path(path)?;
        let mut raw = ptr::null_mut();
        // SAFETY: as above; the caller has verified the content of the file.
        check(unsafe { sys::faiss_read_index_fname(name.as_ptr(), 0, &raw mut raw) })?;
        // SAFETY: `raw` is a live index.
        let dim = usize::try_from(unsafe { sys::faiss_Index_d(raw) }).expect("a dimension is positive");
        Ok(Self { raw, dim })
    }

    /// Writes the index; the caller gives a temporary name and renames the file.
    pub(crate) fn write(&self, path: &Path) -> Result<(), IndexError> {
        let name = c_path(path)?;
        // SAFETY: `raw` is a live index, and the name outlives the call.
        check(unsafe { sys::faiss_write_index_fname(self.raw, name.as_ptr()) })
    }

    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    pub(crate) fn len(&self) -> usize {
        // SAFETY: `raw` is a live index.
        usize::try_from(unsafe { sys::faiss_Index_ntotal(self.raw) }).expect("a count is positive")
    }

    /// Sets a parameter such as `efSearch`, through wrappers like `IDMap`.
    pub(crate) fn set(&mut self, name: &str, value: u32) -> Result<(), IndexError> {
        let name = c_text(name)?;
        let mut space = ptr::null_mut();
        // SAFETY: the space lives from the first call to the last; `self` is borrowed mutably, so nobody else searches.
        unsafe {
            check(sys::faiss_ParameterSpace_new(&raw mut space))?;
            let set =
                check(sys::faiss_ParameterSpace_set_index_parameter(space, self.raw, name.as_ptr(), f64::from(value)));
            sys::faiss_ParameterSpace_free(space);
            set
        }
    }

    /// Fits what an index has to learn of vectors before any is added.
    pub(crate) fn train(&mut self, vectors: &[f32], n_threads: u32) -> Result<(), IndexError> {
        let n = vectors.len() / self.dim;
        if n == 0 {
            return Ok(());
        }
        // SAFETY: the slice holds `n` rows of `dim` values, and `self` is borrowed mutably.
        unsafe {
            omp_set_num_threads(c_int::try_from(n_threads.max(1)).unwrap_or(1));
            check(sys::faiss_Index_train(self.raw, to_idx(n), vectors.as_ptr()))
        }
    }

    /// Adds all vectors of a source in equal parts.
    ///
    /// Arrays of FAISS double when they are full: with 2^n parts the last doubling ends exactly at the number of vectors.
    pub(crate) fn add_all(
        &mut self,
        source: &dyn VectorSource,
        n_threads: u32,
        progress: &dyn Progress,
    ) -> Result<(), IndexError> {
        let n = source.ids().len();
        let n_parts = (n / LEAST_PART).clamp(1, MOST_PARTS).next_power_of_two();
        let part = n.div_ceil(n_parts).max(1);
        let mut vectors = Vec::new();
        for start in (0..n).step_by(part) {
            let end = (start + part).min(n);
            source.read(start..end, &mut vectors)?;
            self.add(&source.ids()[start..end], &vectors, n_threads)?;
            progress.done(end)?;
        }
        Ok(())
    }

    /// Adds rows on `n_threads` threads; the caller has checked that there is one id per row.
    fn add(&mut self, ids: &[VectorId], vectors: &[f32], n_threads: u32) -> Result<(), IndexError> {
        assert_eq!(ids.len() * self.dim, vectors.len(), "one id per row");
        let ids: Vec<sys::idx_t> = ids.iter().map(|id| id.0).collect();
        let n = to_idx(ids.len());
        // SAFETY: the assertion above checks that both slices hold as many elements as FAISS reads.
        unsafe {
            omp_set_num_threads(c_int::try_from(n_threads.max(1)).unwrap_or(1));
            check(sys::faiss_Index_add_with_ids(self.raw, n, vectors.as_ptr(), ids.as_ptr()))
        }
    }

    /// Finds the nearest vectors, nearest first; the caller has checked the dimension of the query.
    pub(crate) fn search(
        &self,
        query: &[f32],
        k: usize,
        among: Option<Among<'_>>,
    ) -> Result<Vec<Neighbor>, IndexError> {
        assert_eq!(query.len(), self.dim, "one query of the dimension of the index");
        let k = k.min(self.len());
        if k == 0 {
            return Ok(Vec::new());
        }
        let (mut similarities, mut ids) = (vec![0f32; k], vec![-1; k]);
        let (at_similarities, at_ids) = (similarities.as_mut_ptr(), ids.as_mut_ptr());
        match among {
            // SAFETY: the outputs have room for `k` results of one query, and the query has `dim` values.
            None => check(unsafe {
                sys::faiss_Index_search(self.raw, 1, query.as_ptr(), to_idx(k), at_similarities, at_ids)
            })?,
            Some(among) => {
                let selection = Selection::new(among)?;
                let parameters = selection.parameters;
                // SAFETY: as above; the parameters are used by this call alone, and their bitmap outlives it.
                check(unsafe {
                    let at_query = query.as_ptr();
                    sys::faiss_Index_search_with_params(
                        self.raw,
                        1,
                        at_query,
                        to_idx(k),
                        parameters,
                        at_similarities,
                        at_ids,
                    )
                })?;
            }
        }
        let found = ids.into_iter().zip(similarities).filter(|(id, _)| *id >= 0);
        Ok(found.map(|(id, similarity)| Neighbor { id: VectorId(id), similarity }).collect())
    }
}

/// The vectors that a search may find, and where it looks for them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Among<'a> {
    /// All if there are none.
    pub(crate) ids: Option<&'a IdSet>,
    /// Lists that are searched, for an index that has inverted lists; its parameters are of another type.
    pub(crate) n_probe: Option<usize>,
}

/// Parameters of one search: FAISS changes them while it searches, so that no other search may share them.
struct Selection {
    parameters: *mut sys::FaissSearchParameters,
    selector: *mut sys::FaissIDSelector,
    /// What the selector points into.
    _bitmap: Vec<u8>,
}

impl Selection {
    fn new(Among { ids, n_probe }: Among<'_>) -> Result<Self, IndexError> {
        let bitmap = ids.map(IdSet::bytes).unwrap_or_default();
        let mut selector = ptr::null_mut();
        if ids.is_some() {
            // SAFETY: the bitmap has the length that is given, and lives as long as the selector.
            check(unsafe { sys::faiss_IDSelectorBitmap_new(&raw mut selector, bitmap.len(), bitmap.as_ptr()) })?;
        }
        let mut selection = Self { parameters: ptr::null_mut(), selector: selector.cast(), _bitmap: bitmap };
        match n_probe {
            // SAFETY: the selector, or null for none, lives as long as the parameters, which do not own it.
            None => {
                check(unsafe { sys::faiss_SearchParameters_new(&raw mut selection.parameters, selection.selector) })?;
            }
            Some(n_probe) => {
                let mut parameters = ptr::null_mut();
                // SAFETY: as above.
                check(unsafe {
                    sys::faiss_SearchParametersIVF_new_with(&raw mut parameters, selection.selector, n_probe, 0)
                })?;
                selection.parameters = parameters.cast();
            }
        }
        Ok(selection)
    }
}

impl Drop for Selection {
    fn drop(&mut self) {
        // SAFETY: both came from FAISS and are freed once; null is allowed, as of `delete`.
        unsafe {
            sys::faiss_SearchParameters_free(self.parameters);
            sys::faiss_IDSelector_free(self.selector);
        }
    }
}

/// Turns a return code of FAISS into the message of FAISS, which is kept per thread and therefore fetched at once.
fn check(code: c_int) -> Result<(), IndexError> {
    if code == 0 {
        return Ok(());
    }
    // SAFETY: FAISS gives null or a zero-terminated string that lives until its next call on this thread.
    let message = unsafe {
        let text = sys::faiss_get_last_error();
        if text.is_null() { String::from("unknown error") } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    };
    Err(IndexError::Faiss { message })
}

fn c_text(text: &str) -> Result<CString, IndexError> {
    CString::new(text).map_err(|_| IndexError::Faiss { message: "a name contains a zero byte".into() })
}

fn c_path(path: &Path) -> Result<CString, IndexError> {
    c_text(&path.to_string_lossy())
}

fn to_c_int(n: usize) -> c_int {
    c_int::try_from(n).expect("a dimension fits a C int")
}

fn to_idx(n: usize) -> sys::idx_t {
    sys::idx_t::try_from(n).expect("a count fits 63 bits")
}

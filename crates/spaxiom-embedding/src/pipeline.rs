//! The seed's `EmbeddingPipeline`: events to tokens to vectors to a store, and back as hits.

mod add;
mod context;
mod evidence;
mod handle;
mod live;
mod moments;
mod query;
mod search;
mod store_search;
mod text_search;
mod unusual;

pub use self::add::Added;
pub use self::evidence::{Aligned, Evidence, Explained, Followed, Hidden};
pub use self::handle::EmbeddingPipeline;
pub use self::live::{Committed, LivePipeline, Taken};
pub use self::query::{Query, SearchResult};
pub use self::store_search::StoreSearch;
pub use self::text_search::{Relaxed, TextHits, TextSearch};
pub use self::unusual::{Nearest, Unusual};

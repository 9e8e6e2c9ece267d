//! Ctrl-C: the first one asks, the second one ends.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);
static LISTENS: AtomicBool = AtomicBool::new(false);

/// From now on the first Ctrl-C makes [`asked`] true and the second ends the program.
pub(crate) fn listen() {
    LISTENS.store(true, Ordering::SeqCst);
    let result = ctrlc::set_handler(|| {
        let was_asked = ASKED.swap(true, Ordering::SeqCst);
        if was_asked || !LISTENS.load(Ordering::SeqCst) {
            std::process::exit(130);
        }
    });
    if let Err(error) = result {
        // In a demo every training asks for the handler; the first one stays.
        tracing::debug!("ctrl-c: {error}");
    }
}

/// From now on Ctrl-C ends the program at once, as nobody asks any more.
pub(crate) fn listen_no_more() {
    LISTENS.store(false, Ordering::SeqCst);
}

/// Whether Ctrl-C was pressed.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

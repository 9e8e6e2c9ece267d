//! TF-IDF against numbers made by hand.

use spaxiom_token::{Tfidf, TokenSequence};

#[test]
fn rare_tokens_weigh_more_and_rows_have_length_one() {
    // One field of ten ids; documents "6 6 7" and "6 8".
    let mut tokens = TokenSequence::new(1);
    for id in [6, 6, 7, 6, 8] {
        tokens.push([id]);
    }
    let windows = [tokens.window(0, 3), tokens.window(3, 5)];
    let tfidf = Tfidf::fit(&[10], windows);
    // idf(6) = ln(3 / 3) + 1 = 1, idf(7) = ln(3 / 2) + 1 = 1.405465: terms 2 and 1.405465, length 2.444446.
    let first = tfidf.transform(windows[0]);
    assert_eq!(first.indices, [6, 7]);
    assert!((first.values[0] - 0.818_181).abs() < 1e-4, "{:?}", first.values);
    assert!((first.values[1] - 0.574_962).abs() < 1e-4, "{:?}", first.values);
    // The second: 1 and 1.405465, length 1.724900; they share token 6.
    let second = tfidf.transform(windows[1]);
    assert!((first.dot(&second) - 0.818_181 / 1.724_9).abs() < 1e-4);
    assert!((second.dot(&second) - 1.0).abs() < 1e-6);
}

#[test]
fn fields_do_not_share_terms() {
    let mut tokens = TokenSequence::new(2);
    tokens.push([6, 7]);
    let vector = Tfidf::fit(&[10, 10], [tokens.window(0, 1)]).transform(tokens.window(0, 1));
    assert_eq!(vector.indices, [6, 17]);
}

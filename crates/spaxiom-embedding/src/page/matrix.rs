//! A confusion matrix, as a table whose cells are as dark as their share of the row.

use std::fmt::Write;

use super::html::escaped;

/// Rows are what was true, columns what was predicted; labels without an event in their row and column are left out.
pub(crate) fn matrix(labels: &[String], counts: &[Vec<usize>]) -> String {
    let count = |row: usize, column: usize| counts.get(row).and_then(|row| row.get(column)).copied().unwrap_or(0);
    let is_there = |at: &usize| (0..labels.len()).any(|other| count(*at, other) + count(other, *at) > 0);
    let shown: Vec<usize> = (0..labels.len()).filter(is_there).collect();
    if shown.is_empty() {
        return String::new();
    }
    let mut text = "<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th></th>".to_owned();
    for &column in &shown {
        // A name breaks between its words.
        let _ = write!(text, "<th>{}</th>", escaped(&labels[column]).replace('_', "_<wbr>"));
    }
    text.push_str("</tr></thead>");
    for &row in &shown {
        let _ = write!(text, "<tr><th>{}</th>", escaped(&labels[row]));
        let n: usize = (0..labels.len()).map(|column| count(row, column)).sum();
        for &column in &shown {
            let share = count(row, column) as f64 / n.max(1) as f64;
            let ink = if share > 0.5 { "#fff" } else { "#1d2733" };
            let hue = if row == column { "10,95,168" } else { "213,94,0" };
            let _ =
                write!(text, "<td style=\"background:rgba({hue},{share:.2});color:{ink}\">{}</td>", count(row, column));
        }
        text.push_str("</tr>");
    }
    text + "</table></div>"
}

#[cfg(test)]
mod tests {
    use super::matrix;

    #[test]
    fn a_cell_is_as_dark_as_its_share_of_what_was_true() {
        let labels = ["a", "b", "unused"].map(str::to_owned);
        let html = matrix(&labels, &[vec![3, 1, 0], vec![0, 2, 0], vec![0, 0, 0]]);
        assert!(
            html.contains("rgba(10,95,168,0.75);color:#fff\">3</td>") && html.contains("rgba(213,94,0,0.25)"),
            "{html}"
        );
        assert!(!html.contains("unused"));
        assert_eq!(matrix(&labels, &[]), "");
    }
}

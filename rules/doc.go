// Package rules scores handoffs. A scorecard is data (scorecards/*.toml), and so is the vocabulary of each language that
// records are written in (languages/*.toml). Engine applies a scorecard to a snapshot of a deal as of a moment, and says
// for each item what is there, where, and what is missing.
//
// It reads the record in steps. A reader cuts every text into passages, each with its place in the record, what its
// field, heading, label or question points to, and who says it. What is no evidence is set aside: placeholders, claims,
// signatures, other customers, software's notes. The cues of all items and slots are found in one walk over the text.
// Facts (dates, figures, systems) and people are read beside them. Each item is then graded by the slots that the
// passages about it fill.
//
// Scoring is pure: the same input gives the same card, byte for byte. It is total: any snapshot gets a card, in time
// linear in its size.
package rules

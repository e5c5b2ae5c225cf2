package salesforce

// FewBodies lets a pull read so few bodies of notes, of an org with the quota of the sandbox.
func (c *Client) FewBodies(n int) { c.bodiesShare = (float64(n) + 0.5) / 100_000 }

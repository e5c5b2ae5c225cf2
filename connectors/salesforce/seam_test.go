package salesforce

// SmallBulk reads more deals than so many in bulk, in pages of so many rows; 0: pages are as large as ever.
func (c *Client) SmallBulk(deals, rows int) {
	c.bulkFrom = deals
	if rows > 0 {
		c.bulkRows = rows
	}
}

// FewBodies lets a pull read so few bodies of notes, of an org with the quota of the sandbox.
func (c *Client) FewBodies(n int) { c.bodiesShare = (float64(n) + 0.5) / 100_000 }

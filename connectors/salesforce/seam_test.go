package salesforce

// SmallPages makes pages of bulk results hold so many rows.
func (c *Client) SmallPages(rows int) { c.bulkRows = rows }

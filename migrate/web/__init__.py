"""The review desk in the browser: pages and sign-in. What is decided, and who may see what, stands in
`dedupe/review`."""

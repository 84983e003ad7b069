// The clients and Laneway by `require`; the harness itself is not what is tried.
import('./fuzz.mjs').then(({ runFuzz }) => runFuzz(async name => require(name), 'cjs'))

// The same service as app.cjs, with ES modules.
import { serve } from './app.cjs'

await serve(async name => {
  const { default: whole, ...named } = await import(name)
  return Object.keys(named).length > 0 ? named : whole
}, process.argv.slice(2))

import { runFuzz } from './fuzz.mjs'

await runFuzz(name => import(name), 'esm')

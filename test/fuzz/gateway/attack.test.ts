// The fuzz of the gateway in small, for the mutations: with one of them applied, it has to fail.
import t from 'tap'
import { gatewayCases } from '../gateway-cases.js'

// Many connections, one after the other: a busy machine needs longer than tap allows by default.
t.setTimeout(120_000)

/** Chosen once: the same connections each time. */
const SEED = 16
/** 400 connections. */
const RUNS = 80

for (const { name, run } of gatewayCases.filter(({ name }) => / over (http|h2c):/.test(name))) {
  t.test(name, async t => {
    t.equal(await run({ runs: RUNS, long: false, seed: SEED }), RUNS * 5)
  })
}

// `npm run test:fuzz`: hostile input for everything that reads input; prints one table.
import { parseArgs } from 'node:util'
import { configCases } from './config-cases.js'
import type { FuzzCase, Scale } from './fuzz-case.js'
import { gatewayCases } from './gateway-cases.js'
import { laneCases } from './lane-cases.js'
import { memoryCases } from './memory-cases.js'
import { nacosCases } from './nacos-cases.js'
import { registerCases } from './register-cases.js'
import { registryCases } from './registry-cases.js'
import { rulesCases } from './rules-cases.js'

const HELP = `npm run test:fuzz -- [options]

  --long          100 times the random inputs, 300,000 connections to the gateway
  --runs <n>      random inputs per rule (default 1000), and 20 connections to the gateway for each
  --seed <n>      repeats a run
  --connection <n> repeats one connection of the gateway's cases, with --seed and --only
  --only <regex>  cases whose name matches
  --help          this text
`
const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    runs: { type: 'string' },
    seed: { type: 'string' },
    connection: { type: 'string' },
    only: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

async function main(): Promise<number> {
  const scale: Scale = {
    runs: Number(values.runs ?? (values.long ? 100_000 : 1000)),
    long: values.long,
    seed: values.seed === undefined ? undefined : Number(values.seed),
    connection: values.connection === undefined ? undefined : Number(values.connection),
  }
  const only = new RegExp(values.only ?? '')
  const cases: readonly FuzzCase[] = [
    ...laneCases,
    ...registryCases,
    ...rulesCases,
    ...nacosCases,
    ...configCases,
    ...registerCases,
    ...memoryCases,
    ...gatewayCases,
  ].filter(({ name }) => only.test(name))
  const failures: string[] = []
  let inputs = 0
  // What escapes from a callback is an escape too.
  const escaped = (error: unknown) => failures.push(`escaped: ${(error as Error)?.stack ?? String(error)}`)
  process.on('uncaughtException', escaped)
  process.on('unhandledRejection', escaped)
  const started = performance.now()
  console.log(`${'inputs'.padStart(9)} ${'ms'.padStart(7)}  case`)
  for (const { name, run } of cases) {
    const begun = performance.now()
    let count = 0
    const before = failures.length
    try {
      count = await run(scale)
    } catch (error) {
      failures.push((error as Error).message)
    }
    inputs += count
    const ms = Math.round(performance.now() - begun)
    const bad = failures.slice(before)
    console.log(`${String(count).padStart(9)} ${String(ms).padStart(7)}  ${name}${bad.length === 0 ? '' : '  FAILED'}`)
    for (const why of bad) console.log(`! ${why.split('\n').slice(0, 25).join('\n  ')}`)
  }
  const seconds = Math.round((performance.now() - started) / 1000)
  console.log(`${inputs} inputs, ${seconds} s${scale.seed === undefined ? '' : `, seed ${scale.seed}`}`)
  const failed = failures.length
  console.log(`fuzz: ${Math.max(0, cases.length - failed)} passed, ${failed} failed`)
  return failed === 0 && cases.length > 0 ? 0 : 1
}

if (values.help) process.stdout.write(HELP)
else
  main().then(
    code => process.exit(code),
    error => {
      console.error(error)
      process.exit(1)
    },
  )

// The results of one run as a map: whole name of a test -> { result: 'passed' | 'failed' | 'skipped', why }.
import { existsSync, readFileSync } from 'node:fs'

/** Two tests of one name are told apart by their order. */
function collector() {
  const results = new Map()
  return {
    results,
    add(name, result, why) {
      let key = name
      for (let count = 2; results.has(key); count++) key = `${name} (${count})`
      results.set(key, { result, why })
    },
  }
}

/** @param {{ out: string }} run - the file that mocha's JSON reporter wrote */
export function readMocha({ out }) {
  const { results, add } = collector()
  if (!existsSync(out)) return results
  const { tests, passes, failures, pending } = JSON.parse(readFileSync(out, 'utf8'))
  const told = [...passes.map(one => ['passed', one]), ...pending.map(one => ['skipped', one])]
  for (const one of failures) told.push(['failed', one])
  for (const [result, one] of told) add(one.fullTitle, result, one.err?.stack ?? one.err?.message)
  if (results.size < tests.length) add('(all)', 'failed', `${tests.length} tests, ${results.size} results`)
  return results
}

/** @param {{ out: string }} run - the file that reporter.mjs, mocha-reporter.cjs or each-file.mjs wrote */
export function readLines({ out }) {
  const { results, add } = collector()
  if (!existsSync(out)) return results
  for (const line of readFileSync(out, 'utf8').split('\n')) {
    if (line === '') continue
    const { name, result, why } = JSON.parse(line)
    if (name !== undefined) add(name, result, why)
  }
  return results
}

/** @param {{ out: string }} run - the file that jest wrote with --json */
export function readJest({ out }) {
  const { results, add } = collector()
  if (!existsSync(out)) return results
  for (const { name: file, assertionResults, message } of JSON.parse(readFileSync(out, 'utf8')).testResults) {
    if (assertionResults.length === 0) add(`${file} > all`, 'failed', message)
    for (const { fullName, status, failureMessages } of assertionResults) {
      const result = status === 'passed' ? 'passed' : status === 'failed' ? 'failed' : 'skipped'
      add(`${file} > ${fullName}`, result, failureMessages?.join('\n'))
    }
  }
  return results
}

/** @param {{ stdout: string }} run - TAP, as ava writes it */
export function readAva({ stdout }) {
  const { results, add } = collector()
  const lines = stdout.split('\n')
  for (const [index, line] of lines.entries()) {
    const found = /^(not ok|ok) \d+ - (.*?)(?: # (SKIP|TODO).*)?$/.exec(line)
    if (found === null) continue
    const [, ok, name, directive] = found
    const result = directive === undefined ? (ok === 'ok' ? 'passed' : 'failed') : 'skipped'
    add(name, result, result === 'failed' ? lines.slice(index + 1, index + 30).join('\n') : undefined)
  }
  return results
}

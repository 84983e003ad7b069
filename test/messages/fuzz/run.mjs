// The carriers' fuzz: each client of a system, as ES module and as CommonJS, on several versions of Node.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { nodeBinary } from '../../../scripts/node-versions.mjs'

const folder = fileURLToPath(new URL('./', import.meta.url))
const WITHIN_MS = 240_000

/**
 * @param {{ client: string, env?: Record<string, string> }} client
 * @returns what `fuzz.mjs` prints, or why it did not run
 */
export async function fuzz({ client, env }, { environment, kind, node, count, seed }) {
  const binary = await nodeBinary(node)
  if (binary === undefined) return { skipped: `no Node ${node}` }
  const settings = {
    ...process.env,
    NODE_OPTIONS: '',
    ...environment,
    ...env,
    CLIENT: client,
    COUNT: count,
    SEED: seed,
  }
  const child = spawn(binary, [`${folder}entry.${kind === 'esm' ? 'mjs' : 'cjs'}`], {
    env: settings,
    timeout: WITHIN_MS,
  })
  let printed = ''
  let errors = ''
  child.stdout.on('data', chunk => (printed += chunk))
  child.stderr.on('data', chunk => (errors = (errors + chunk).slice(-2000)))
  await new Promise(resolve => child.once('close', resolve))
  try {
    return JSON.parse(printed)
  } catch {
    return { failed: printed + errors }
  }
}

export function isRight({ count, missing, wrong }) {
  return count > 0 && wrong === 0 && missing.every(left => left === 0)
}

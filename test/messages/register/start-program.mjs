// Starts a program of this folder under @laneway/register, as its user would.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { until } from '../until.mjs'

const folder = fileURLToPath(new URL('../', import.meta.url))

/** Resolves once it serves, with `ask(path, tag)`, what it prints, the process and its port. */
export async function startProgram(t, file, args, environment = {}) {
  const { NODE_OPTIONS: _, ...rest } = process.env
  const flags = ['--import', '@laneway/register', `${folder}register/${file}`]
  const child = spawn(process.execPath, [...flags, ...args], { cwd: folder, env: { ...rest, ...environment } })
  t.after(() => child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) child[name].on('data', chunk => (output[name] += chunk))
  await until(() => child.exitCode !== null || /serving on \d+/.test(output.stdout))
  const port = /serving on (\d+)/.exec(output.stdout)?.[1]
  assert.ok(port, output.stderr)
  async function ask(path, tag) {
    const response = await fetch(`http://127.0.0.1:${port}/${path}`, {
      headers: tag === undefined ? {} : { 'x-mse-tag': tag },
    })
    const text = await response.text()
    assert.equal(response.status, 200, text)
    return JSON.parse(text)
  }
  return { ask, output, child, port }
}

// Starts a generated application, and asks it.
import { spawn } from 'node:child_process'
import { join } from 'node:path'

/**
 * @param {string} folder - of the application
 * @param {Record<string, string>} environment
 * @param {boolean} registered - under `@laneway/register`
 */
export async function startApp(folder, environment, registered) {
  const { NODE_OPTIONS: _, ...rest } = process.env
  const flags = registered ? ['--import', '@laneway/register'] : []
  const child = spawn(process.execPath, [...flags, join('dist', 'lanes-main.js')], {
    cwd: folder,
    env: { ...rest, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const ended = new Promise(resolve => child.once('close', resolve))
  const port = new Promise((resolve, reject) => {
    const listen = chunk => {
      output += chunk
      const found = /serving on (\d+)/.exec(output)
      if (found !== null) resolve(Number(found[1]))
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    ended.then(() => reject(new Error(`the application ended\n${output}`)))
  })
  port.catch(() => {})
  return {
    port,
    ended,
    output: () => output,
    async ask(path, tag) {
      const response = await fetch(`http://127.0.0.1:${await port}/${path}`, {
        headers: tag === undefined ? {} : { 'x-mse-tag': tag },
      })
      return JSON.parse(await response.text())
    },
    async stop() {
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
      child.kill('SIGTERM')
      await ended
      clearTimeout(late)
      return child.signalCode
    },
  }
}

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Runs a function while no other process does under the same file; the lock of a process that died is taken over. */
export async function withLock(file, fn) {
  mkdirSync(dirname(file), { recursive: true })
  while (!take(file)) await new Promise(resolve => setTimeout(resolve, 100))
  const release = () => rmSync(file, { force: true })
  process.once('exit', release)
  try {
    return await fn()
  } finally {
    process.removeListener('exit', release)
    release()
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  let holder = ''
  try {
    holder = readFileSync(file, 'utf8')
    if (holder !== '') process.kill(Number(holder), 0)
  } catch (error) {
    // Gone in the meantime, or its holder is.
    if (error.code === 'ESRCH') rmSync(file, { force: true })
  }
  return false
}

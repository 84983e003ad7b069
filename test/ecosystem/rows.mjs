// Finds the rows, and says which of them run together.
import { readdirSync, readFileSync } from 'node:fs'
import { libraries } from './install.mjs'

const folder = new URL('./rows/', import.meta.url)

/** All rows in the order of the table: `{ group, name, file, row, version }`. */
export async function loadRows() {
  const found = []
  for (const group of readdirSync(folder).sort()) {
    for (const name of readdirSync(new URL(`${group}/`, folder)).sort()) {
      if (!name.endsWith('.mjs')) continue
      const file = new URL(`${group}/${name}`, folder).href
      const { default: row } = await import(file)
      found.push({ group, name: name.replace(/\.mjs$/, ''), file, row, version: versionOf(row.library) })
    }
  }
  return found
}

/** So many rows share a process at most, so that no processor waits long for the last one. */
const TOGETHER = 8

/** Rows of one group share a process, unless they change the process they are in or need a special one. */
export function batchesOf(rows) {
  const shared = new Map()
  const batches = []
  for (const one of rows) {
    const { row, group } = one
    if (row.alone || row.program || row.flags || row.flagsBefore || row.env || row.needs) {
      batches.push([one])
      continue
    }
    if ((shared.get(group)?.length ?? TOGETHER) === TOGETHER) {
      shared.set(group, [])
      batches.push(shared.get(group))
    }
    shared.get(group).push(one)
  }
  return batches
}

function versionOf(library) {
  if (library.startsWith('node:')) return process.version
  try {
    return JSON.parse(readFileSync(`${libraries}node_modules/${library}/package.json`, 'utf8')).version
  } catch {
    return '?'
  }
}

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
      const { default: exported } = await import(file)
      const base = name.replace(/\.mjs$/, '')
      for (const row of [exported].flat()) {
        const one =
          row.variant === undefined
            ? { name: base, file }
            : { name: `${base}-${row.variant}`, file: `${file}#${row.variant}` }
        found.push({ group, ...one, row, version: versionOf(row.library) })
      }
    }
  }
  return found
}

/** The row of a file, or the one of a list that the fragment names. */
export async function loadRow(file) {
  const { default: exported } = await import(file)
  const variant = new URL(file).hash.slice(1)
  return variant === '' ? exported : exported.find(row => row.variant === variant)
}

/** So many rows share a process at most, so that no processor waits long for the last one. */
const TOGETHER = 8

/** Rows of one group that need the same servers share a process, unless they change the process they are in or need a special one. */
export function batchesOf(rows) {
  const shared = new Map()
  const batches = []
  for (const one of rows) {
    const { row, group } = one
    if (row.alone || row.program || row.flags || row.flagsBefore || row.env) {
      batches.push([one])
      continue
    }
    const key = [group, ...(row.needs ?? [])].join(' ')
    if ((shared.get(key)?.length ?? TOGETHER) === TOGETHER) {
      shared.set(key, [])
      batches.push(shared.get(key))
    }
    shared.get(key).push(one)
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

import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** SHA-256 over the names and bytes of files; folders are walked, links are left out. */
export function digest(paths) {
  const hash = createHash('sha256')
  for (const path of paths) add(hash, path)
  return hash.digest('hex')
}

function add(hash, path) {
  const stats = lstatSync(path)
  if (stats.isSymbolicLink()) return
  if (stats.isDirectory()) {
    for (const name of readdirSync(path).sort()) add(hash, join(path, name))
  } else hash.update(path).update('\0').update(readFileSync(path)).update('\0')
}

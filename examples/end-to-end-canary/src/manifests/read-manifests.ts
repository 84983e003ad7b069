import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { KubeObject } from '../cluster/kube-object.js'

/**
 * Reads every object of a file, or of the YAML files of a folder by name, as `kubectl apply -f` does: not of the folders
 * in it.
 *
 * @throws Error for a file that is not there or is no YAML of objects
 */
export function readManifests(path: string): KubeObject[] {
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter(name => /\.(ya?ml|json)$/.test(name))
        .sort()
        .map(name => join(path, name))
    : [path]
  return files.flatMap(readFile)
}

function readFile(file: string): KubeObject[] {
  return parseAllDocuments(readFileSync(file, 'utf8')).flatMap(document => {
    if ('errors' in document && document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]!.message}`)
    const value = (document as { toJS(): unknown }).toJS()
    if (value === null || value === undefined) return []
    const objects = (value as any).kind === 'List' ? (value as any).items : [value]
    for (const { kind, metadata } of objects) {
      if (typeof kind !== 'string' || typeof metadata?.name !== 'string')
        throw new Error(`${file}: no object of Kubernetes`)
    }
    return objects
  })
}

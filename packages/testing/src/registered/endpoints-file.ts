import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StaticServices } from '@laneway/discovery'

/** A file of endpoints for other processes, written when somebody asks for it. */
export interface EndpointsFile {
  readonly path: string
  remove(): void
}

export function createEndpointsFile(services: StaticServices): EndpointsFile {
  let folder: string | undefined
  return {
    get path() {
      if (folder === undefined) {
        folder = mkdtempSync(join(tmpdir(), 'laneway-testing-'))
        writeFileSync(join(folder, 'endpoints.json'), JSON.stringify({ services }))
      }
      return join(folder, 'endpoints.json')
    },
    remove() {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

// Programs that Debian packages: the one that is there, else the package, installed when we are root.
import { spawnSync } from 'node:child_process'

/** Why the program cannot be had, or undefined when it can. */
export function findProgram(program, debianPackage, versionFlag = '--version') {
  const there = () => spawnSync(program, [versionFlag]).status === 0
  if (there()) return undefined
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) {
    return `no ${program} on the PATH, and it can only be installed as root on Debian`
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (let attempt = 0; attempt < 3; attempt++) {
    if (attempt > 0) spawnSync('apt-get', ['update', '-qq'], { env })
    const args = ['install', '-y', '-qq', '--no-install-recommends', debianPackage]
    if (spawnSync('apt-get', args, { env }).status === 0 && there()) return undefined
  }
  return `${debianPackage} cannot be installed`
}

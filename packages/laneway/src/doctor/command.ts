import { createPaint } from '../terminal/paint.js'
import { plain } from '../terminal/table.js'
import { type CommandWorld, EXIT } from '../terminal/world.js'
import { type DoctorOptions, type DoctorReport, runDoctor } from './doctor.js'
import { CHECKS } from './finding.js'

/** Facts that are shown per check; `--json` has all. */
const MOST_FACTS = 12

/** Prints the report of the doctor. */
export async function doctor(options: DoctorOptions, world: CommandWorld): Promise<number> {
  const report = await runDoctor(world, options)
  world.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : textOf(report, world))
  return report.ok ? EXIT.ok : EXIT.wrong
}

function textOf({ findings, facts }: DoctorReport, world: CommandWorld): string {
  const paint = createPaint(world)
  const lines: string[] = []
  const width = Math.max(...CHECKS.map(check => check.length))
  for (const [index, { level, check, problem, fix }] of findings.entries()) {
    lines.push(
      `${paint(level === 'error' ? 'red' : 'yellow', `${index + 1}. ${level}`)} ${paint('dim', check)}  ${plain(problem)}`,
    )
    lines.push(`   ${paint('green', 'fix')}  ${plain(fix)}`, '')
  }
  for (const check of CHECKS) {
    const bad = findings.find(finding => finding.check === check)?.level
    const seen = facts[check] ?? (bad === undefined ? undefined : ['see above'])
    if (seen === undefined) continue
    const mark = bad === 'error' ? paint('red', '✗') : bad === 'warning' ? paint('yellow', '!') : paint('green', '✓')
    const shown = seen.slice(0, MOST_FACTS).map(plain)
    if (seen.length > MOST_FACTS) shown.push(`and ${seen.length - MOST_FACTS} more`)
    lines.push(`${mark} ${check.padEnd(width)}  ${shown[0] ?? ''}`)
    for (const more of shown.slice(1)) lines.push(`  ${' '.repeat(width)}  ${more}`)
  }
  const { length } = findings
  const sum =
    length === 0 ? paint('green', 'nothing is wrong') : paint('bold', `${length} finding${length === 1 ? '' : 's'}`)
  return `${lines.join('\n')}\n\n${sum}\n`
}

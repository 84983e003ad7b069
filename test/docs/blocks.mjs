/** The fences of a page in Markdown: how each block of code is run, or why it is not. */

const FENCE = /^( *)(`{3,}|~{3,})([^\n]*)\n([\s\S]*?)^\1\2 *$/gm
/** "Write `b.mjs`:" before a block says that the block is this file. */
const FILE = /`([\w./-]+\.\w+)`[^`]*:$/

/**
 * @typedef {object} Block
 * @property {string} lang - first word of the fence
 * @property {string} mark - the rest of the line of the fence
 * @property {string} text - with its last line feed
 * @property {string | undefined} file - the name that the line before the block gives it
 * @property {number} line - of the fence, from 1
 * @property {number} start - offset of the text in the page
 */

/** @returns {Block[]} */
export function blocksOf(page) {
  return [...page.matchAll(FENCE)].map(match => {
    const [whole, , fence, info, text] = match
    const [lang = '', ...mark] = info.trim().split(/\s+/)
    const before = page.slice(0, match.index).trimEnd().split('\n').at(-1)
    const start = match.index + whole.indexOf('\n') + 1
    return {
      lang,
      mark: mark.join(' '),
      text,
      file: FILE.exec(before.trim())?.[1],
      line: page.slice(0, match.index).split('\n').length,
      start,
      fence,
    }
  })
}

/** The commands of a `console` block, each with the output that the page shows. */
export function commandsOf(block) {
  const commands = []
  for (const line of block.text.split('\n')) {
    if (line.startsWith('$ ')) commands.push({ line: line.slice(2), output: '' })
    else if (commands.at(-1)?.line.endsWith('\\')) commands.at(-1).line += `\n${line}`
    else if (commands.length > 0) commands.at(-1).output += `${line}\n`
  }
  for (const command of commands) command.output = command.output.trim()
  return commands
}

/** What runs or reads such a block: a program, a shell, or a file that another block uses. */
export const RUNNABLE = new Set(['js', 'ts', 'mjs', 'sh', 'bash', 'console', 'yaml', 'json', 'dockerfile'])

/** Whether a shell block does nothing but install packages. The release and the minute of the README do that. */
export function isInstall(block) {
  const lines = block.text.trim().split('\n')
  return ['', 'sh', 'bash'].includes(block.lang) && lines.every(line => /^(npm (install|i) |cd |mkdir )/.test(line))
}

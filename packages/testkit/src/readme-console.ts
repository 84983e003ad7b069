const BLOCK = /^```console\n([\s\S]*?)^```$/gm

/**
 * A README with the output of each `$` line of its `console` blocks as the command gives it now. A test holds it against
 * the README as it is.
 *
 * @param readme - its text
 * @param outputOf - runs one line, without its `$ `, and resolves with what it prints, which ends with a line feed
 */
export async function withConsoleOutputs(readme: string, outputOf: (line: string) => Promise<string>): Promise<string> {
  let text = ''
  let end = 0
  for (const block of readme.matchAll(BLOCK)) {
    text += readme.slice(end, block.index)
    end = block.index + block[0].length
    const lines = block[1]!.split('\n').filter(line => line.startsWith('$ '))
    const outputs: string[] = []
    for (const line of lines) outputs.push(`${line}\n${await outputOf(line.slice(2))}`)
    text += `\`\`\`console\n${outputs.join('\n')}\`\`\``
  }
  return text + readme.slice(end)
}

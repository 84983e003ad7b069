/** The path of a Node binary of a major version, or `undefined` where there is none for this machine. */
export function nodeBinary(major: number): Promise<string | undefined>

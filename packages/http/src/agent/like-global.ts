/** The options of Node's global agents since version 19. */
export const LIKE_GLOBAL = Object.freeze({ keepAlive: true, scheduling: 'lifo', timeout: 5000 } as const)

// A program that has nothing to wait for.
console.log('serving on 1')

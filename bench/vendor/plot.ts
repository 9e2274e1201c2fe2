export * from '@observablehq/plot'

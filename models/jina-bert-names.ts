/** Where a checkpoint keeps each weight; `.weight` and `.bias` are appended where there are both. */
export interface JinaBertNames {
  readonly word: string
  readonly type: string
  readonly embeddingNorm: string
  layer(i: number): {
    /** One tensor of (3 · hidden, hidden), or three that are stacked. */
    readonly qkv: readonly string[]
    readonly attentionOut: string
    readonly norm1: string
    readonly gated: string
    readonly mlpOut: string
    readonly norm2: string
  }
}

/** The text tower inside jina-clip-v1: flash-attention's BERT. */
export function flashBertNames(prefix: string): JinaBertNames {
  return {
    word: `${prefix}embeddings.word_embeddings.weight`,
    type: `${prefix}embeddings.token_type_embeddings.weight`,
    embeddingNorm: `${prefix}emb_ln`,
    layer(i) {
      const layer = `${prefix}encoder.layers.${i}.`
      return {
        qkv: [`${layer}mixer.Wqkv`],
        attentionOut: `${layer}mixer.out_proj`,
        norm1: `${layer}norm1`,
        gated: `${layer}mlp.gated_layers`,
        mlpOut: `${layer}mlp.wo`,
        norm2: `${layer}norm2`,
      }
    },
  }
}

/** JinaBertModel: jina-embeddings-v2-base and -small. The same computation under BERT's names. */
export function jinaBertModelNames(prefix: string): JinaBertNames {
  return {
    word: `${prefix}embeddings.word_embeddings.weight`,
    type: `${prefix}embeddings.token_type_embeddings.weight`,
    embeddingNorm: `${prefix}embeddings.LayerNorm`,
    layer(i) {
      const layer = `${prefix}encoder.layer.${i}.`
      const self = `${layer}attention.self.`
      return {
        qkv: [`${self}query`, `${self}key`, `${self}value`],
        attentionOut: `${layer}attention.output.dense`,
        norm1: `${layer}attention.output.LayerNorm`,
        gated: `${layer}mlp.gated_layers`,
        mlpOut: `${layer}mlp.wo`,
        norm2: `${layer}mlp.layernorm`,
      }
    },
  }
}

import type { Gpu, Parameter, ParameterSet, Tensor } from "../engine/mod.ts";
import type { Decoder, ForwardOptions, LanguageModel } from "./language_model.ts";
import { tiedLogits, tiedLoss, tiedTokenLosses } from "./layers/language_head.ts";

/** What every language model of the suite has in common: learned positions and a token table that also gives the logits. */
export abstract class TiedLanguageModel implements LanguageModel {
  abstract readonly name: string;
  abstract readonly config: { readonly vocabSize: number; readonly positions: number };
  abstract readonly parameters: ParameterSet;
  /** Token table [V, D]. */
  abstract readonly tokens: Parameter;
  /** Position table [P, D]. */
  abstract readonly positionTable: Parameter;

  constructor(readonly gpu: Gpu) {}

  get vocabSize(): number {
    return this.config.vocabSize;
  }

  get positions(): number {
    return this.config.positions;
  }

  get tableParameters(): number {
    return this.tokens.size + this.positionTable.size;
  }

  abstract hidden(ids: Tensor, options?: ForwardOptions): Tensor;
  abstract decoder(batch: number): Decoder;
  abstract flops(batch: number, length: number): { forward: number; backward: number };

  logits(ids: Tensor, options: ForwardOptions = {}): Tensor {
    return tiedLogits(this.hidden(ids, options), this.tokens);
  }

  loss(ids: Tensor, targets: Tensor, options: ForwardOptions = {}): Tensor {
    return tiedLoss(this.hidden(ids, options), this.tokens, targets);
  }

  tokenLosses(ids: Tensor, targets: Tensor): Tensor {
    return tiedTokenLosses(this.gpu.withoutTape(() => this.hidden(ids)), this.tokens, targets);
  }

  dispose(): void {
    this.parameters.dispose();
  }
}

//! Watches each step of a run, and gives it up where its result would not be that of the chain.

use revm::Inspector;
use revm::bytecode::opcode;
use revm::interpreter::interpreter_types::{Jumps, LoopControl};
use revm::interpreter::{
    CallInputs, CallOutcome, CreateInputs, CreateOutcome, Gas, InstructionResult, Interpreter,
    InterpreterResult,
};

use crate::bound::{Bound, DEPTH, STEPS, WORK};
use crate::meter::Limits;
use crate::refusal::Refusal;

/// Watches a run. Once it has a reason to give up, every call ends at its next step.
pub(crate) struct Guard {
    limits: Limits,
    steps: u64,
    /// The gas of all instructions, without what calls pass on.
    work: u64,
    /// The gas that remained before the step.
    before: u64,
    depth: usize,
    /// Whether a price of the gas is known that this run does not have.
    is_paid: bool,
    pub(crate) refusal: Option<Refusal>,
}

impl Guard {
    pub(crate) const fn new(limits: Limits, is_paid: bool) -> Self {
        Self { limits, steps: 0, work: 0, before: 0, depth: 0, is_paid, refusal: None }
    }

    /// The number of instructions.
    pub(crate) const fn steps(&self) -> u64 {
        self.steps
    }

    /// The gas of all instructions, without what calls pass on.
    pub(crate) const fn work(&self) -> u64 {
        self.work
    }

    fn give_up(&mut self, reason: impl Into<Refusal>) {
        self.refusal.get_or_insert(reason.into());
    }

    /// Notes why a call ended.
    fn note(&mut self, result: InstructionResult) {
        match result {
            InstructionResult::OutOfGas
            | InstructionResult::MemoryOOG
            | InstructionResult::PrecompileOOG
            | InstructionResult::InvalidOperandOOG
            | InstructionResult::ReentrancySentryOOG => self.give_up(Refusal::OutOfGas),
            InstructionResult::MemoryLimitOOG => self.give_up(Bound::Memory),
            _ => {}
        }
    }
}

impl<Context> Inspector<Context> for Guard {
    fn step(&mut self, interpreter: &mut Interpreter, _: &mut Context) {
        self.steps = self.steps.saturating_add(1);
        self.before = interpreter.gas.remaining();
        let Limits { steps, work, .. } = self.limits;
        if self.steps > steps {
            self.give_up(Limits::bound(steps, STEPS, Bound::Steps));
        } else if self.work > work {
            self.give_up(Limits::bound(work, WORK, Bound::Work));
        }
        match interpreter.bytecode.opcode() {
            opcode::BLOBBASEFEE => self.give_up(Refusal::BlobBaseFee),
            opcode::GASPRICE if self.is_paid => self.give_up(Refusal::GasPrice),
            opcode::SELFDESTRUCT => self.give_up(Refusal::Contracts),
            _ => {}
        }
        if self.refusal.is_some() {
            interpreter.halt(InstructionResult::Revert);
        }
    }

    fn step_end(&mut self, interpreter: &mut Interpreter, _: &mut Context) {
        let cost = self.before.saturating_sub(interpreter.gas.remaining());
        self.work = self.work.saturating_add(cost);
        if let Some(result) = interpreter.bytecode.instruction_result() {
            self.note(result);
        }
    }

    fn call(&mut self, _: &mut Context, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.work = self.work.saturating_sub(inputs.gas_limit);
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEPTH {
            self.give_up(Bound::Depth);
        }
        self.refusal.as_ref()?;
        let gas = Gas::new(inputs.gas_limit);
        let result = InterpreterResult::new(InstructionResult::Revert, Default::default(), gas);
        Some(CallOutcome::new(result, inputs.return_memory_offset.clone()))
    }

    fn call_end(&mut self, _: &mut Context, _: &CallInputs, outcome: &mut CallOutcome) {
        self.depth = self.depth.saturating_sub(1);
        self.note(outcome.result.result);
    }

    fn create(&mut self, _: &mut Context, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.give_up(Refusal::Contracts);
        let gas = Gas::new(inputs.gas_limit());
        let result = InterpreterResult::new(InstructionResult::Revert, Default::default(), gas);
        Some(CreateOutcome::new(result, None))
    }
}

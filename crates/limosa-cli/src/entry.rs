//! From the command line to an exit code.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{ArgMatches, FromArgMatches};
use limosa::{Diagnostic, Exit, Failure};

use crate::args::{self, FirstLook, Limosa};
use crate::call::{self, Call};
use crate::commands::Command;
use crate::console::{Console, Manner};
use crate::interrupt::Interrupt;

/// Runs a command; gives its exit code.
pub(crate) fn run(arguments: Vec<OsString>) -> u8 {
    let look = FirstLook::at(arguments.get(1..).unwrap_or_default(), |name| std::env::var(name).ok());
    let console = Console::new(look.manner);
    let parsed =
        args::matches(&arguments, &look.command).and_then(|matches| Ok((Limosa::from_arg_matches(&matches)?, matches)));
    let code = match parsed {
        Ok((limosa, matches)) => chosen(&limosa, &matches, &console, look.manner),
        Err(error) => not_understood(&error, &look, &console),
    };
    unwritten(&console, code)
}

/// Help and version are answers; anything else is a usage error.
fn not_understood(error: &clap::Error, look: &FirstLook, console: &Console) -> u8 {
    let text = error.render();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            console.answer(&text.ansi().to_string());
            Exit::Done.into()
        }
        _ if console.is_json() => {
            let text = text.to_string();
            let (message, help) = text.split_once("\n\n").unwrap_or((&text, ""));
            let message = message.strip_prefix("error: ").unwrap_or(message).trim();
            call::fail(console, &look.command, &Failure::usage("LIM-U090", message, help.trim()))
        }
        _ => {
            console.insist(text.ansi().to_string().trim_end());
            Exit::Usage.into()
        }
    }
}

fn chosen(limosa: &Limosa, matches: &ArgMatches, console: &Console, manner: Manner) -> u8 {
    let name = args::name(matches);
    let manner = Manner { quiet: limosa.quiet, verbose: limosa.verbose, ..manner };
    if let Some(result) = limosa.command.without_settings(console, &name) {
        return result.unwrap_or_else(|failure| call::fail(console, &name, &failure));
    }
    // One thread: each answer of a server would otherwise wake another one first.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let problem = Diagnostic::error("LIM-U093", format!("the threads for a run cannot be made: {error}"))
                .help("look at the limits of this process: ulimit -a");
            return call::fail(console, &name, &Failure::new(Exit::Database, problem));
        }
    };
    let code = runtime.block_on(conduct(limosa, matches, &name, manner));
    // A question that nobody answered may still be waiting on a thread.
    runtime.shutdown_background();
    code
}

async fn conduct(limosa: &Limosa, matches: &ArgMatches, name: &str, manner: Manner) -> u8 {
    let interrupt = Interrupt::default();
    let mut call = match Call::prepare(limosa, matches, manner, limosa.command.need(), interrupt.clone()) {
        Ok(call) => call,
        Err(failure) => {
            let console = Console::new(manner);
            let code = call::fail(&console, name, &failure);
            return unwritten(&console, code);
        }
    };
    let result = tokio::select! {
        result = work(&limosa.command, &mut call) => result,
        () = interrupt.before_anything() => Err(interrupted()),
    };
    call.reporter.end();
    let (code, problem) = match result {
        Ok(code) => (code, None),
        Err(failure) => (call::fail(&call.console, name, &failure), failure.diagnostics.into_iter().next()),
    };
    let code = unwritten(&call.console, code);
    call.reporter.finish(code, problem.as_ref());
    call.console.settle();
    code
}

/// Runs a command; once more where its files could be of several formats and somebody said which is meant: it has done nothing then.
async fn work(command: &Command, call: &mut Call) -> Result<u8, Failure> {
    match command.run(call).await {
        Err(failure) if call.chose_format(&failure) => command.run(call).await,
        result => result,
    }
}

fn interrupted() -> Failure {
    Failure::new(Exit::Database, Diagnostic::error("LIM-R005", "interrupted before anything was run"))
}

/// An answer that could not be written is a failure too, where nothing worse happened.
fn unwritten(console: &Console, code: u8) -> u8 {
    let failed = console.failed();
    if let Some(why) = &failed {
        console.problem(&Diagnostic::error("LIM-U095", format!("the answer could not be written: {why}")));
    }
    console.settle();
    if failed.is_none() {
        return code;
    }
    if code == u8::from(Exit::Done) { Exit::Database.into() } else { code }
}

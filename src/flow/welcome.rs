//! The templates of the task that welcomes a new customer, which stand in the settings.

use super::expression::check_rendered;
use crate::connection::WelcomeTask;

/// What keeps the task from being made, with the key that it is about.
pub fn mistakes_in_welcome(task: &WelcomeTask) -> Vec<(&'static str, String)> {
    let texts = [("settings.welcome_task.title", &task.title), ("settings.welcome_task.text", &task.text)];
    let wrong = |(key, text): (&'static str, &String)| {
        check_rendered(text).err().map(|what| (key, format!("`{key}`: {what}")))
    };
    texts.into_iter().filter_map(wrong).collect()
}

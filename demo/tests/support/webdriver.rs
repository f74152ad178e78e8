//! Headless Chromium, driven through chromedriver.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::json;
use thirtyfour::{
    ChromiumLikeCapabilities, DesiredCapabilities, WebDriver, cdp::domains::page::CaptureScreenshot,
    error::WebDriverResult,
};

const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A window size, and whether a finger is used.
#[derive(Clone, Copy, Debug)]
pub enum Screen {
    Desktop,
    Phone,
}

/// A running chromedriver on a port of its own. Dropped, it is killed; drop its browsers first.
#[derive(Debug)]
pub struct ChromeDriver {
    child: Child,
    url: String,
}

impl ChromeDriver {
    /// Starts it.
    ///
    /// # Errors
    /// What is missing, and the Debian package that has it.
    pub fn start() -> Result<Self, String> {
        for program in ["chromium", "chromedriver"] {
            if Command::new(program).arg("--version").output().is_err() {
                return Err(format!(
                    "{program} is not installed: Debian packages chromium and chromium-driver"
                ));
            }
        }
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("chromedriver does not start: {error}"))?;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        // Read on, so that it never finds its output blocked.
        std::thread::spawn(move || lines.for_each(drop));
        let port = port.expect("chromedriver says where it listens");
        Ok(Self { child, url: format!("http://127.0.0.1:{port}") })
    }

    /// A browser with a profile of its own in this folder.
    pub async fn browser(&self, profile: &Path) -> WebDriverResult<WebDriver> {
        let mut capabilities = DesiredCapabilities::chrome();
        for flag in FLAGS {
            capabilities.add_arg(flag)?;
        }
        capabilities.add_arg(&format!("--user-data-dir={}", profile.display()))?;
        WebDriver::new(&self.url, capabilities).await
    }
}

impl Drop for ChromeDriver {
    fn drop(&mut self) {
        // Fails only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Gives the window a size, and light or dark colours.
pub async fn look(browser: &WebDriver, screen: Screen, scheme: &str) -> WebDriverResult<()> {
    let (width, height, mobile) = match screen {
        Screen::Desktop => (1280, 900, false),
        Screen::Phone => (390, 844, true),
    };
    let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
    browser.cdp().send_raw("Emulation.setDeviceMetricsOverride", size).await?;
    let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    browser.cdp().send_raw("Emulation.setEmulatedMedia", media).await?;
    Ok(())
}

/// Saves a picture of the whole page.
pub async fn screenshot(browser: &WebDriver, name: &str) -> WebDriverResult<()> {
    let options = CaptureScreenshot { capture_beyond_viewport: Some(true), ..Default::default() };
    let picture = browser.cdp().send(options).await?;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("demo-screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}.png"));
    std::fs::write(&path, data_encoding::BASE64.decode(picture.data.as_bytes()).unwrap()).unwrap();
    println!("screenshot {}", path.display());
    Ok(())
}

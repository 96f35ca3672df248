//! Does: stub.
use super::RuntimeError;
/// x
#[derive(Debug, Clone)]
pub struct DockerService {
    /// x
    pub name: String,
    /// x
    pub container: Option<String>,
}
/// x
#[derive(Debug, Clone)]
pub struct DockerConfig {
    /// x
    pub host: Option<String>,
    /// x
    pub compose_file: Option<std::path::PathBuf>,
    /// x
    pub project: Option<String>,
    /// x
    pub directory: std::path::PathBuf,
    /// x
    pub services: Vec<DockerService>,
}
/// x
#[derive(Debug)]
pub struct Docker;
impl Docker {
    /// x
    /// # Errors
    /// x
    pub fn connect(_c: DockerConfig) -> Result<super::process::Process, RuntimeError> {
        Err(RuntimeError::Unreachable { runtime: "docker", why: "stub".into(), next: "".into() })
    }
}
